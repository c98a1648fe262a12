//go:build unix

package store_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/mail"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// post gives the victim a message that waits, and what belongs to one.
func (v victim) post(t *testing.T) mail.Message {
	t.Helper()
	m := storetest.NewMessage(v.client.ID, storetest.When)
	v.Write(t, func(ctx context.Context, tx care.Tx) error {
		return errors.Join(tx.Post(ctx, v.Who, m),
			tx.PutContact(ctx, v.Who, care.Contact{ClientID: v.client.ID, Email: "ana@client.test", UpdatedAt: storetest.When}),
			tx.PutMessageSettings(ctx, v.Who, care.MessageSettings{ClinicName: "One", By: mail.ByMail, UpdatedAt: storetest.When}))
	})
	return m
}

// attemptsOnMessages are the attempts on messages.
var attemptsOnMessages = map[string]attempt{
	"Contact": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		c, err := db.Contact(ctx, who, v.client.ID)
		c.ClientID = uuid.Nil // what was asked
		return c, err
	}},
	"PutContact": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.PutContact(ctx, who, care.Contact{ClientID: v.client.ID, Email: "new@client.test", UpdatedAt: storetest.When})
	}},
	"Messages": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Messages(ctx, who, v.client.ID, page)
	}},
	"MessageSettings": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		set, err := db.MessageSettings(ctx, who)
		if reflect.DeepEqual(set, care.DefaultMessageSettings()) {
			return nil, err // what a new clinic has
		}
		return set, err
	}},
	"PutMessageSettings": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return nil, db.PutMessageSettings(ctx, who, care.MessageSettings{ClinicName: "new", By: mail.ByNobody, UpdatedAt: storetest.When})
	}},
	"Post": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.Post(ctx, who, storetest.NewMessage(v.client.ID, storetest.When))
	}},
	"CancelMessages": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.CancelMessages(ctx, who, v.message.About, storetest.When, "answered")
	}},
	"CancelMessagesTo": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.CancelMessagesTo(ctx, who, v.client.ID, storetest.When)
	}},
}
