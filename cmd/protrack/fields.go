package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store"
)

// fieldKeys are the flags of the keys that seal names, references and secrets.
type fieldKeys struct {
	FieldKeys     auth.Secret `env:"PROTRACK_FIELD_KEYS" hidden:"" help:"Keyset that encrypts clients' names and references, and the secrets of projects, in the database."`
	FieldKeysFile string      `env:"PROTRACK_FIELD_KEYS_FILE" placeholder:"FILE" help:"File with the keyset that encrypts clients' names and references, and the secrets of projects, in the database. Or PROTRACK_FIELD_KEYS is the keyset itself."`
}

// keys reads the keyset; nil where there is none.
func (f fieldKeys) keys() (*seal.Keys, error) {
	text := string(f.FieldKeys)
	switch {
	case text != "" && f.FieldKeysFile != "":
		return nil, errors.New("PROTRACK_FIELD_KEYS and PROTRACK_FIELD_KEYS_FILE are both set: which keyset is meant?")
	case f.FieldKeysFile != "":
		content, err := os.ReadFile(f.FieldKeysFile)
		if err != nil {
			return nil, fmt.Errorf("read the field keys: %w", err)
		}
		text = string(content)
	case text == "":
		return nil, nil
	}
	return seal.Parse(text)
}

// needed is keys where there must be some.
func (f fieldKeys) needed() (*seal.Keys, error) {
	keys, err := f.keys()
	if err == nil && keys == nil {
		err = errors.New("set PROTRACK_FIELD_KEYS or PROTRACK_FIELD_KEYS_FILE to the keyset")
	}
	return keys, err
}

// readsItsNames refuses a database with names or secrets that the field keys do
// not open.
func (s *services) readsItsNames(ctx context.Context) error {
	if err := s.db.CheckFields(ctx); err != nil {
		return fmt.Errorf("%w Set PROTRACK_FIELD_KEYS or PROTRACK_FIELD_KEYS_FILE to the keyset that they were encrypted with", err)
	}
	return nil
}

type fieldsCmd struct {
	Key     fieldsKeyCmd     `cmd:"" help:"Make a keyset and print it."`
	Rotate  fieldsRotateCmd  `cmd:"" help:"Print the keyset with a new key that encrypts from now on."`
	Retire  fieldsRetireCmd  `cmd:"" help:"Print the keyset without its old keys, once nothing needs them."`
	Encrypt fieldsEncryptCmd `cmd:"" help:"Encrypt all names, references and secrets of projects with the keyset's newest key."`
	Decrypt fieldsDecryptCmd `cmd:"" help:"Store all names, references and secrets of projects plain again."`
	Check   fieldsCheckCmd   `cmd:"" help:"Count the stored names and secrets by the key that encrypted them."`
}

type fieldsKeyCmd struct{}

// Run prints a keyset of one new key.
func (fieldsKeyCmd) Run(t *terminal) error {
	keys, err := seal.New()
	if err != nil {
		return err
	}
	return t.printKeys(keys)
}

type fieldsRotateCmd struct{ fieldKeys }

// Run prints the keyset with a new primary key.
func (c fieldsRotateCmd) Run(t *terminal) error {
	keys, err := c.needed()
	if err != nil {
		return err
	}
	if keys, err = keys.Rotated(); err != nil {
		return err
	}
	return t.printKeys(keys)
}

type fieldsRetireCmd struct{ fieldKeys }

// Run prints the keyset with its primary key alone.
func (c fieldsRetireCmd) Run(t *terminal) error {
	keys, err := c.needed()
	if err != nil {
		return err
	}
	if keys, err = keys.Retired(); err != nil {
		return err
	}
	return t.printKeys(keys)
}

// printKeys writes a keyset, and nothing else, on standard output.
func (t *terminal) printKeys(keys *seal.Keys) error {
	text, err := keys.Text()
	if err == nil {
		_, err = fmt.Fprintf(t.err, "keyset whose key %d encrypts; keep a copy apart from the database, which cannot be read without it:\n", keys.Primary())
	}
	if err == nil {
		_, err = fmt.Fprintln(t.out, text)
	}
	return err
}

// fieldsFlags is what the commands on the database share.
type fieldsFlags struct {
	database
	fieldKeys
	logging
}

// opened runs fn on the database and how its names and secrets are stored.
func (f fieldsFlags) opened(ctx context.Context, t *terminal, keys *seal.Keys, fn func(*services, []store.FieldUse) error) error {
	cfg := f.config(f.logger(t.err))
	cfg.FieldKeys, cfg.MustExist = keys, true
	s, err := open(ctx, cfg, "")
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	if err := s.db.CheckSchema(ctx); err != nil {
		return err
	}
	uses, err := s.db.FieldUses(ctx)
	if err != nil {
		return err
	}
	return fn(s, uses)
}

// reseal stores the names and secrets of every clinic anew, each clinic in a
// transaction of its own, and then lets nothing remain of how they were stored before.
func (f fieldsFlags) reseal(ctx context.Context, t *terminal, action string, do func(*store.DB, context.Context, auth.Principal, audit.Entry) (int, error)) error {
	keys, err := f.needed()
	if err != nil {
		return err
	}
	return f.opened(ctx, t, keys, func(s *services, uses []store.FieldUse) error {
		if err := s.readsItsNames(ctx); err != nil {
			return err
		}
		for i, use := range uses {
			if i > 0 && uses[i-1].Clinic.ID == use.Clinic.ID {
				continue // another key of the same clinic
			}
			who, err := s.keys.Operator(ctx, use.Clinic.Slug)
			if err != nil {
				return err
			}
			entry := who.Did(action, "clinic", use.Clinic.ID)
			entry.ID, entry.At = newID(), time.Now().UTC().Truncate(time.Microsecond)
			changed, err := do(s.db, ctx, who, entry)
			if err != nil {
				return explain("clinic "+use.Clinic.Slug, err)
			}
			if _, err := fmt.Fprintf(t.out, "clinic %s: %d versions of clients and secrets of projects changed\n", use.Clinic.Slug, changed); err != nil {
				return err
			}
		}
		return s.db.CompactFields(ctx)
	})
}

type fieldsEncryptCmd struct{ fieldsFlags }

// Run encrypts everything with the primary key.
func (c fieldsEncryptCmd) Run(ctx context.Context, t *terminal) error {
	return c.reseal(ctx, t, "fields.encrypt", (*store.DB).EncryptFields)
}

type fieldsDecryptCmd struct{ fieldsFlags }

// Run stores everything plain.
func (c fieldsDecryptCmd) Run(ctx context.Context, t *terminal) error {
	return c.reseal(ctx, t, "fields.decrypt", (*store.DB).DecryptFields)
}

type fieldsCheckCmd struct{ fieldsFlags }

// Run counts by key. It fails where the keyset does not open all of them.
func (c fieldsCheckCmd) Run(ctx context.Context, t *terminal) error {
	keys, err := c.keys()
	if err != nil {
		return err
	}
	return c.opened(ctx, t, keys, func(s *services, uses []store.FieldUse) error {
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "CLINIC\tKEY\tVERSIONS\tPROJECTS\tKEY IS"); err != nil {
			return err
		}
		for _, u := range uses {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", u.Clinic.Slug, keyName(u.Key), u.Versions, u.Projects, standing(keys, u.Key)); err != nil {
				return err
			}
		}
		return errors.Join(w.Flush(), s.readsItsNames(ctx))
	})
}

func keyName(id uint32) string {
	if id == 0 {
		return "none"
	}
	return fmt.Sprint(id)
}

// standing says what the keyset has of a key.
func standing(keys *seal.Keys, id uint32) string {
	switch {
	case id == 0:
		return "plain text"
	case id == keys.Primary():
		return "in use"
	case keys.Has(id):
		return "old"
	}
	return "missing"
}
