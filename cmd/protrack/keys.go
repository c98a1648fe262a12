package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

type keysCmd struct {
	Create keysCreateCmd `cmd:"" help:"Make a key and print it, once, on standard output."`
	List   keysListCmd   `cmd:"" help:"List a clinic's keys."`
	Rotate keysRotateCmd `cmd:"" help:"Replace a key by one with another secret, and print that once."`
	Revoke keysRevokeCmd `cmd:"" help:"End a key."`
}

// keysFlags is what the commands on keys and accounts share.
type keysFlags struct {
	database
	logging
	Clinic string `default:"default" help:"Clinic that it is about."`
}

// as runs fn as the operator of the clinic.
func (f keysFlags) as(ctx context.Context, t *terminal, fn func(*services, auth.Principal) error) error {
	s, err := existing(ctx, f.config(f.logger(t.err)), "")
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	who, err := s.keys.Operator(ctx, f.Clinic)
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("there is no clinic %q: serve makes the first one, keys create --new-clinic another", f.Clinic)
	}
	if err != nil {
		return err
	}
	return fn(s, who)
}

type keysCreateCmd struct {
	keysFlags
	Name      string        `required:"" help:"What the key is for."`
	Role      string        `required:"" enum:"owner,admin,clinician,researcher,app" help:"owner, admin, clinician, researcher or app."`
	Scope     []string      `placeholder:"PERMISSION" help:"Narrows the role to this permission, such as assessments:write; give it once for each. All of the role if absent."`
	ExpiresIn time.Duration `help:"How long it lives, such as 720h. For ever if absent."`
	NewClinic bool          `help:"Make the clinic first, with this as its admin key."`
}

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Run makes a key.
func (c keysCreateCmd) Run(ctx context.Context, t *terminal) error {
	if c.NewClinic {
		return c.foundClinic(ctx, t)
	}
	return c.as(ctx, t, func(s *services, who auth.Principal) error {
		key, secret, err := s.keys.CreateKey(ctx, who, c.newKey())
		if err != nil {
			return explain("key", err)
		}
		return c.show(t, key, secret)
	})
}

// show prints a key's secret, this once.
func (f keysFlags) show(t *terminal, key auth.Key, secret auth.Secret) error {
	_, err := fmt.Fprintf(t.err, "%s key %s of clinic %s:\n", key.Role, key.ID, f.Clinic)
	if err == nil {
		_, err = fmt.Fprintln(t.out, string(secret))
	}
	return err
}

func (c keysCreateCmd) newKey() auth.NewKey {
	in := auth.NewKey{Name: c.Name, Role: auth.Role(c.Role)}
	for _, p := range c.Scope {
		in.Scopes = append(in.Scopes, auth.Permission(p))
	}
	if c.ExpiresIn != 0 {
		in.ExpiresAt = new(time.Now().Add(c.ExpiresIn))
	}
	return in
}

func (c keysCreateCmd) foundClinic(ctx context.Context, t *terminal) error {
	if !slug.MatchString(c.Clinic) || auth.Role(c.Role) != auth.Admin {
		return errors.New("a new clinic has a name of a-z, 0-9 and hyphens, and an admin key first")
	}
	s, err := migrated(ctx, c.config(c.logger(t.err)), "")
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	founded, secret, err := s.keys.FoundWith(ctx, c.Clinic, c.newKey(), "")
	if err != nil {
		return explain("clinic "+c.Clinic, err)
	}
	if !founded {
		return fmt.Errorf("there is a clinic %s already", c.Clinic)
	}
	_, err = fmt.Fprintf(t.err, "admin key of the new clinic %s:\n", c.Clinic)
	if err == nil {
		_, err = fmt.Fprintln(t.out, string(secret))
	}
	return err
}

type keysListCmd struct{ keysFlags }

// keysPage is how many keys are read at a time.
const keysPage = 200

// Run lists the clinic's keys.
func (c keysListCmd) Run(ctx context.Context, t *terminal) error {
	return c.as(ctx, t, func(s *services, who auth.Principal) error {
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "ID\tROLE\tNAME\tHINT\tCREATED\tLAST USED\tEXPIRES\tREVOKED"); err != nil {
			return err
		}
		for after := uuid.Nil; ; {
			keys, err := s.keys.Keys(ctx, who, after, keysPage)
			if err != nil {
				return err
			}
			for _, k := range keys {
				_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s…\t%s\t%s\t%s\t%s\n", k.ID, k.Role, k.Name, k.Hint,
					when(&k.CreatedAt), when(k.LastUsedAt), when(k.ExpiresAt), when(k.RevokedAt))
				if err != nil {
					return err
				}
				after = k.ID
			}
			if len(keys) < keysPage {
				return w.Flush()
			}
		}
	})
}

func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}

type keysRotateCmd struct {
	keysFlags
	ID      string        `arg:"" help:"Id of the key, as listed."`
	Overlap time.Duration `default:"24h" help:"How long the old key goes on, at most 720h."`
}

// Run replaces a key.
func (c keysRotateCmd) Run(ctx context.Context, t *terminal) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no id of a key", c.ID)
	}
	return c.as(ctx, t, func(s *services, who auth.Principal) error {
		key, secret, err := s.keys.RotateKey(ctx, who, id, &c.Overlap)
		if err != nil {
			return explain("key "+c.ID, err)
		}
		return c.show(t, key, secret)
	})
}

type keysRevokeCmd struct {
	keysFlags
	ID string `arg:"" help:"Id of the key, as listed."`
}

// Run ends a key.
func (c keysRevokeCmd) Run(ctx context.Context, t *terminal) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no id of a key", c.ID)
	}
	return c.as(ctx, t, func(s *services, who auth.Principal) error {
		if err := s.keys.RevokeKey(ctx, who, id); err != nil {
			return explain("key "+c.ID, err)
		}
		_, err := fmt.Fprintln(t.err, "revoked")
		return err
	})
}
