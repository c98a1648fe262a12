package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// WebSessions keeps browser sessions by the hash of their token. Before
// somebody signs in a session is of no clinic; on PostgreSQL a transaction
// sees the session whose hash it names, and the expired ones.
type WebSessions struct {
	DB  *DB
	Now func() time.Time
}

type webSessionRow struct {
	Token     []byte
	Data      []byte
	ExpiresAt instant
}

func (webSessionRow) TableName() string { return "web_sessions" }

// FindCtx gives a session's data; found is false for an unknown or expired one.
func (s *WebSessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.DB.shown(ctx, []byte(token), func(tx *DB) error {
		var row webSessionRow
		err := tx.read.WithContext(ctx).Where("token = ? AND expires_at > ? AND "+goesOn, []byte(token), at(s.Now())).Take(&row).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil
		}
		data, found = row.Data, err == nil
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("find session: %w", err)
	}
	return data, found, nil
}

// goesOn holds for a session that was not ended. Its time alone does not tell: a
// request that waited for the end read its clock before.
const goesOn = "length(web_sessions.data) > 0"

// CommitCtx stores a session's data until it expires. One that has ended stays
// ended: a request that was under way then does not bring it back.
func (s *WebSessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	row := webSessionRow{Token: []byte(token), Data: data, ExpiresAt: at(expiry)}
	return s.change(ctx, token, func(db *gorm.DB) *gorm.DB {
		return db.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "token"}}, DoUpdates: clause.AssignmentColumns([]string{"data", "expires_at"}),
			Where: clause.Where{Exprs: []clause.Expression{
				clause.Gt{Column: clause.Column{Table: "web_sessions", Name: "expires_at"}, Value: at(s.Now())},
				clause.Expr{SQL: goesOn},
			}},
		}).Create(&row)
	})
}

// DeleteCtx ends a session and empties it; ending one that is not there changes
// nothing.
func (s *WebSessions) DeleteCtx(ctx context.Context, token string) error {
	return s.change(ctx, token, func(db *gorm.DB) *gorm.DB {
		return db.Model(&webSessionRow{}).Where("token = ?", []byte(token)).
			Updates(map[string]any{"data": []byte{}, "expires_at": at(s.Now())})
	})
}

// endedFor is how long an ended session is kept, so that it stays ended: longer
// than any request takes.
const endedFor = time.Hour

// DropExpired removes the sessions that ended a while ago.
func (s *WebSessions) DropExpired(ctx context.Context) error {
	return s.change(ctx, "", func(db *gorm.DB) *gorm.DB {
		return db.Where("expires_at < ?", at(s.Now().Add(-endedFor))).Delete(&webSessionRow{})
	})
}

func (s *WebSessions) change(ctx context.Context, token string, fn func(*gorm.DB) *gorm.DB) error {
	err := s.DB.enter(ctx, noClinic, []byte(token), func(tx *DB) error { return fn(tx.write.WithContext(ctx)).Error })
	if err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	return nil
}

// Find is FindCtx without a deadline.
func (s *WebSessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a deadline.
func (s *WebSessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a deadline.
func (s *WebSessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
