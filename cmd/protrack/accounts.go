package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/protrack/protrack/pkg/auth"
)

type accountsCmd struct {
	Create  accountsCreateCmd  `cmd:"" help:"Make the account of a person; the password is typed, or read from standard input."`
	List    accountsListCmd    `cmd:"" help:"List a clinic's accounts."`
	Reset   accountsResetCmd   `cmd:"" help:"Give an account a generated password and print it, once."`
	Disable accountsDisableCmd `cmd:"" help:"End an account: the person is signed out everywhere and cannot sign in."`
}

type accountsCreateCmd struct {
	keysFlags
	Email         string `required:"" help:"Address to sign in with."`
	Name          string `required:"" help:"Name of the person."`
	Role          string `required:"" enum:"owner,admin,clinician,researcher" help:"owner, admin, clinician or researcher."`
	PasswordStdin bool   `help:"Read the password from standard input instead of the terminal."`
}

// Run makes an account.
func (c accountsCreateCmd) Run(ctx context.Context, t *terminal) error {
	password, err := t.password(c.PasswordStdin)
	if err != nil {
		return err
	}
	return c.as(ctx, t, func(s *services, who auth.Principal) error {
		a, _, err := s.keys.CreateAccount(ctx, who, auth.NewAccount{
			Email: auth.Personal(c.Email), Name: auth.Personal(c.Name), Role: auth.Role(c.Role), Password: password,
		})
		if err != nil {
			return explain("account", err)
		}
		_, err = fmt.Fprintf(t.out, "%s\n", a.ID)
		return err
	})
}

// longestLine is more than any password has.
const longestLine = 4096

// password reads a password: from the terminal without echo, twice, or the
// first line of what is piped in.
func (t *terminal) password(piped bool) (auth.Password, error) {
	if piped {
		line, err := bufio.NewReader(io.LimitReader(t.in, longestLine)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", errors.New("no password stands on standard input")
		}
		return auth.Password(line), nil
	}
	if !term.IsTerminal(int(t.in.Fd())) {
		return "", errors.New("there is no terminal to type a password at: pipe it in with --password-stdin")
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		if _, err := fmt.Fprint(t.err, prompt); err != nil {
			return "", err
		}
		line, err := term.ReadPassword(int(t.in.Fd()))
		if _, e := fmt.Fprintln(t.err); err == nil {
			err = e
		}
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(line)
	}
	if typed[0] == "" || typed[0] != typed[1] {
		return "", errors.New("the two passwords are not the same, or are empty")
	}
	return auth.Password(typed[0]), nil
}

type accountsListCmd struct{ keysFlags }

// Run lists the clinic's accounts.
func (c accountsListCmd) Run(ctx context.Context, t *terminal) error {
	return c.as(ctx, t, func(s *services, who auth.Principal) error {
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "ID\tROLE\tEMAIL\tNAME\tCREATED\tLAST SIGN-IN\tDISABLED"); err != nil {
			return err
		}
		err := s.eachAccount(ctx, who, func(a auth.Account) error {
			_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Role, string(a.Email), string(a.Name),
				when(&a.CreatedAt), when(a.LastSignInAt), when(a.DisabledAt))
			return err
		})
		return errors.Join(err, w.Flush())
	})
}

// eachAccount reads all accounts, a page at a time.
func (s *services) eachAccount(ctx context.Context, who auth.Principal, fn func(auth.Account) error) error {
	for after := uuid.Nil; ; {
		accounts, err := s.keys.Accounts(ctx, who, after, keysPage)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			if err := fn(a); err != nil {
				return err
			}
			after = a.ID
		}
		if len(accounts) < keysPage {
			return nil
		}
	}
}

// accountFlags name one account.
type accountFlags struct {
	keysFlags
	ID string `arg:"" help:"Id of the account, as listed."`
}

// on runs fn on the account that is named.
func (f accountFlags) on(ctx context.Context, t *terminal, fn func(*services, auth.Principal, uuid.UUID) error) error {
	id, err := uuid.Parse(f.ID)
	if err != nil {
		return fmt.Errorf("%q is no id of an account", f.ID)
	}
	return f.as(ctx, t, func(s *services, who auth.Principal) error {
		if err := fn(s, who, id); err != nil {
			return explain("account "+f.ID, err)
		}
		return nil
	})
}

type accountsResetCmd struct{ accountFlags }

// Run resets an account's password.
func (c accountsResetCmd) Run(ctx context.Context, t *terminal) error {
	return c.on(ctx, t, func(s *services, who auth.Principal, id uuid.UUID) error {
		password, err := s.keys.ResetPassword(ctx, who, id)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(t.out, string(password))
		return err
	})
}

type accountsDisableCmd struct{ accountFlags }

// Run disables an account.
func (c accountsDisableCmd) Run(ctx context.Context, t *terminal) error {
	return c.on(ctx, t, func(s *services, who auth.Principal, id uuid.UUID) error {
		if _, err := s.keys.UpdateAccount(ctx, who, id, auth.AccountChange{Disabled: new(true)}); err != nil {
			return err
		}
		_, err := fmt.Fprintln(t.err, "disabled")
		return err
	})
}
