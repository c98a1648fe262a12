package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

type seedCmd struct {
	database
	logging
	Clinic      string `default:"default" help:"Clinic to fill; it is made if there is none."`
	Assessments int    `required:"" help:"How many assessments to add, at the least: clients come in whole companies of sixty."`
	Seed        uint64 `default:"1" help:"Another number writes other clients."`
	More        bool   `help:"Also where the clinic has clients. These invented ones are not told apart from real ones: never do this to a clinic that treats anybody."`
}

// seedReport is how often the command tells how far it is.
const seedReport = 30 * time.Second

// Run fills a clinic with invented clients.
func (c seedCmd) Run(ctx context.Context, t *terminal) error {
	if c.Assessments < 1 || !slug.MatchString(c.Clinic) {
		return errors.New("--assessments is at least 1, and a clinic has a name of a-z, 0-9 and hyphens")
	}
	s, err := migrated(ctx, c.config(c.logger(t.err)), "")
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	if err := s.foundClinic(ctx, t, c.Clinic); err != nil {
		return err
	}
	who, err := s.keys.Operator(ctx, c.Clinic)
	if err != nil {
		return explain("clinic "+c.Clinic, err)
	}
	clients, err := s.clients(ctx, who)
	if err != nil {
		return err
	}
	if clients > 0 && !c.More {
		return fmt.Errorf("clinic %q has %d clients: invented ones would be mixed with them; give --more if these are invented too", c.Clinic, clients)
	}
	return c.fill(ctx, t, s, who, clients)
}

// foundClinic makes a clinic where there is none, and shows its first key.
func (s *services) foundClinic(ctx context.Context, t *terminal, clinic string) error {
	founded, secret, err := s.keys.Found(ctx, clinic, "")
	if err != nil {
		return explain("clinic "+clinic, err)
	}
	if !founded {
		return nil
	}
	if _, err = fmt.Fprintf(t.err, "admin key of the new clinic %s:\n", clinic); err == nil {
		_, err = fmt.Fprintln(t.out, string(secret))
	}
	return err
}

// clients counts everybody whom a clinic knows.
func (s *services) clients(ctx context.Context, who auth.Principal) (n int, err error) {
	err = s.db.Study(ctx, who, func(r research.Reader) error {
		people, err := r.People(ctx, who, nil)
		n = len(people)
		return err
	})
	return n, err
}

// fill stores company after company, each in one transaction, until there are
// enough assessments. What an interrupted run has stored stays.
func (c seedCmd) fill(ctx context.Context, t *terminal, s *services, who auth.Principal, clients int) error {
	var done demo.Seeded
	start, told := time.Now(), time.Now()
	tell := func() error {
		rate := float64(done.Assessments) / time.Since(start).Seconds()
		_, err := fmt.Fprintf(t.err, "%d assessments of %d clients in %s, %.0f a second\n",
			done.Assessments, done.Clients, time.Since(start).Round(time.Second), rate)
		return err
	}
	company := (clients + demo.Cast() - 1) / demo.Cast() // the first that is not there
	for stories := range demo.Performances(c.Seed, company, start) {
		n, err := demo.Seed(ctx, s.care, who, stories)
		if fault.Is(err, fault.Conflict) {
			return fmt.Errorf("the clinic has clients with the references of the invented ones: %w", err)
		}
		if err != nil {
			return err
		}
		if done.Add(n); done.Assessments >= c.Assessments {
			break
		}
		if time.Since(told) > seedReport {
			told = time.Now()
			if err := tell(); err != nil {
				return err
			}
		}
	}
	return tell()
}
