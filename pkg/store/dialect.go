package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/fault"
)

// dialect names the few things in which the two databases differ.
type dialect struct {
	name string // also the folder of the migrations
	// lock is added to a SELECT to keep others from changing its rows.
	lock func(*gorm.DB) *gorm.DB
	// take is lock that passes over what others have locked.
	take func(*gorm.DB) *gorm.DB
	// waits: what a lock keeps out waits within its statement, and then sees the
	// rows that it locked as they are, and all others as they were.
	waits bool
	// hold is lock, and keeps others from adding rows that point to these.
	hold func(*gorm.DB) *gorm.DB
	// retryable reports whether the transaction may succeed if run again.
	retryable func(error) bool
	// enter tells the database which clinic a transaction is of, and which
	// credential was shown where the clinic is yet to be found.
	enter func(tx *gorm.DB, clinic uuid.UUID, credential []byte) error
	// lift takes a trigger away within a transaction, and gives what puts it back.
	lift func(tx *gorm.DB, table, trigger string) (restore func() error, err error)
	// compact leaves nothing in the files of what tables held before.
	compact func(db *gorm.DB, tables ...string) error
	// misspelt finds, among entries, those with an id that is written otherwise
	// than it was: where ids are text, a query would pass over them.
	misspelt func(tx *gorm.DB, clinic uuid.UUID, entries []sealedRow) ([]uuid.UUID, error)
	// snapshot makes a transaction read one state of the record.
	snapshot *sql.TxOptions
	// scrub empties the log, and reports whether the database's files hold
	// nothing any more of what was removed.
	scrub func(ctx context.Context, writer *sql.DB) (bool, error)
	// among restricts a query to many ids.
	among func(db *gorm.DB, column string, ids []uuid.UUID) *gorm.DB
	// settle waits until every transaction that changes something now has ended.
	settle   func(db *gorm.DB) error
	migrator migrator
}

var sqliteDialect = dialect{
	name: "sqlite",
	// The one writer holds the whole database: there is nothing to lock.
	lock:      func(db *gorm.DB) *gorm.DB { return db },
	take:      func(db *gorm.DB) *gorm.DB { return db },
	hold:      func(db *gorm.DB) *gorm.DB { return db },
	retryable: func(err error) bool { return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED) },
	enter:     func(*gorm.DB, uuid.UUID, []byte) error { return nil },
	misspelt:  misspeltInSQLite,
	lift:      liftSQLiteTrigger,
	compact:   func(db *gorm.DB, _ ...string) error { return compactSQLite(db) },
	scrub:     emptyLog,
	settle:    settleSQLite,
	among: func(db *gorm.DB, column string, ids []uuid.UUID) *gorm.DB {
		return db.Where(column+" IN (SELECT value FROM json_each(?))", idList(ids, "[", `"`, "]"))
	},
}

var postgresDialect = dialect{
	name: "postgres",
	// NO KEY UPDATE does not block the foreign keys that point here.
	lock: func(db *gorm.DB) *gorm.DB {
		return db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
	},
	take: func(db *gorm.DB) *gorm.DB {
		return db.Clauses(clause.Locking{Strength: "NO KEY UPDATE", Table: clause.Table{Name: "d"}, Options: "SKIP LOCKED"})
	},
	waits: true,
	hold: func(db *gorm.DB) *gorm.DB {
		return db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	},
	retryable: func(err error) bool {
		var pg *pgconn.PgError
		return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01") // serialization failure, deadlock
	},
	enter: func(tx *gorm.DB, clinic uuid.UUID, credential []byte) error {
		return tx.Exec("SELECT set_config('protrack.clinic', ?, true), set_config('protrack.credential', ?, true)",
			clinic.String(), hex.EncodeToString(credential)).Error
	},
	lift: liftPostgresTrigger,
	compact: func(db *gorm.DB, tables ...string) error {
		return db.Exec("VACUUM (FULL) " + strings.Join(tables, ", ")).Error
	},
	misspelt: func(*gorm.DB, uuid.UUID, []sealedRow) ([]uuid.UUID, error) { return nil, nil }, // ids are no text
	snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead},
	// Only the tables' owner may vacuum them; autovacuum does, in its time.
	scrub:  func(context.Context, *sql.DB) (bool, error) { return false, nil },
	settle: settlePostgres,
	among: func(db *gorm.DB, column string, ids []uuid.UUID) *gorm.DB {
		return db.Where(column+" = ANY(?::uuid[])", idList(ids, "{", "", "}"))
	},
}

// translating is a GORM dialect whose errors say whether to try again.
type translating struct {
	gorm.Dialector
	away func(error) bool
}

// Translate turns a driver's error into a domain's where it means one.
func (t translating) Translate(err error) error {
	if t.away(err) || closed(err) {
		return fault.New(fault.Unavailable, "The database is away or busy. Nothing was lost: try again.").Because(err)
	}
	if inner, ok := t.Dialector.(gorm.ErrorTranslator); ok {
		err = inner.Translate(err)
	}
	return withoutValues(err)
}

// withoutValues keeps of PostgreSQL's error what names the fault: its text can
// quote the value that was sent, and the text goes to the log.
func withoutValues(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	plain := fmt.Errorf("PostgreSQL error %s in %s (table %q, constraint %q)", pg.Code, pg.Routine, pg.TableName, pg.ConstraintName)
	for _, known := range []error{gorm.ErrDuplicatedKey, gorm.ErrForeignKeyViolated, gorm.ErrCheckConstraintViolated} {
		if errors.Is(err, known) {
			return errors.Join(known, plain)
		}
	}
	return plain
}

// closed: the pool is shut, or the connection was lost between statements.
// The first has no name in database/sql, only a text.
func closed(err error) bool {
	return errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) || err.Error() == "sql: database is closed"
}

// sqliteAway: the file is busy, full, unreadable or gone.
func sqliteAway(err error) bool {
	for _, code := range []sqlite3.ErrorCode{
		sqlite3.BUSY, sqlite3.LOCKED, sqlite3.FULL, sqlite3.IOERR, sqlite3.READONLY, sqlite3.CANTOPEN, sqlite3.NOMEM, sqlite3.INTERRUPT,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// postgresAway: no connection, a lost one, or a server that asks to come back.
func postgresAway(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// 08 connection, 53 resources, 57P operator, 55P03 lock, 25006 read-only standby.
		for _, class := range []string{"08", "53", "57P", "55P03", "25006", "40001", "40P01"} {
			if strings.HasPrefix(pg.Code, class) {
				return true
			}
		}
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "unexpected EOF")
}
