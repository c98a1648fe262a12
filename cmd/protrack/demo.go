package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/store"
)

type demoCmd struct {
	Addr string `env:"PROTRACK_ADDR" default:"127.0.0.1:8080" help:"Address to listen on; another port is taken if it is in use."`
	Seed uint64 `default:"1" help:"Another number writes another clinic."`
	Once bool   `help:"Print, and do not serve."`
	logging
}

// Run writes the synthetic clinic into a temporary database, shows one
// client, and serves until the context ends. Nothing of it is kept.
func (c demoCmd) Run(ctx context.Context, t *terminal) (err error) {
	dir, err := os.MkdirTemp("", "protrack-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	log := c.logger(t.err)
	url := "sqlite://" + filepath.Join(dir, "demo.db")
	s, err := migrated(ctx, store.Config{URL: url, Log: log}, "")
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	stories := demo.Clinic(c.Seed, time.Now())
	keys, seeded, err := s.stage(ctx, stories)
	if err != nil {
		return err
	}
	if err := s.show(ctx, t, keys.who, demo.Showcase(stories).Client.ID); err != nil {
		return err
	}
	if c.Once {
		return nil
	}
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	if err := keys.print(t, "http://"+listener.Addr().String(), demo.Showcase(stories).Client.ID, seeded); err != nil {
		return err
	}
	if c.LogLevel == "info" {
		c.LogLevel = "warn" // the screen belongs to the demo
	}
	return s.serve(ctx, listener, serveCmd{
		Addr: c.Addr, DrainTime: 5 * time.Second, KeyRate: mw.DefaultKeyRate, database: database{Database: url},
	}, edge{}, c.logger(t.err))
}

// listen takes the address, or another port where that one is in use.
func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(addr)
		listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return listener, nil
}

// demoKeys is a key for each role, and how people sign in.
type demoKeys struct {
	who      auth.Principal // the admin
	secret   map[auth.Role]auth.Secret
	password []auth.Password // of the people, in their order
}

// demoPeople have an account each: the roles whose pages differ most.
var demoPeople = []auth.NewAccount{
	{Email: "ada@clinic.example", Name: "Ada Demo", Role: auth.Clinician},
	{Email: "rita@clinic.example", Name: "Rita Demo", Role: auth.Researcher},
	{Email: "olga@clinic.example", Name: "Olga Demo", Role: auth.Owner},
}

// stage founds the clinic, makes a key for each role and tells the stories.
func (s *services) stage(ctx context.Context, stories []demo.Story) (demoKeys, demo.Seeded, error) {
	_, admin, err := s.keys.Found(ctx, firstClinic, "")
	if err != nil {
		return demoKeys{}, demo.Seeded{}, err
	}
	who, err := s.keys.Authenticate(ctx, admin, auth.Origin{})
	if err != nil {
		return demoKeys{}, demo.Seeded{}, err
	}
	owner, err := s.keys.Operator(ctx, firstClinic)
	if err != nil {
		return demoKeys{}, demo.Seeded{}, err
	}
	keys := demoKeys{who: who, secret: map[auth.Role]auth.Secret{auth.Admin: admin}}
	for _, role := range auth.Roles() {
		if role == auth.Admin {
			continue // the first key is there already
		}
		if _, keys.secret[role], err = s.keys.CreateKey(ctx, owner, auth.NewKey{Name: "demo " + string(role), Role: role}); err != nil {
			return demoKeys{}, demo.Seeded{}, err
		}
	}
	for _, person := range demoPeople {
		_, password, err := s.keys.CreateAccount(ctx, owner, person)
		if err != nil {
			return demoKeys{}, demo.Seeded{}, err
		}
		keys.password = append(keys.password, password)
	}
	seeded, err := demo.Seed(ctx, s.care, who, stories)
	return keys, seeded, err
}

// showInstrument is what the demo prints.
const showInstrument = "phq-9"

// show prints one client's PHQ-9.
func (s *services) show(ctx context.Context, t *terminal, who auth.Principal, id uuid.UUID) error {
	client, err := s.care.Client(ctx, who, id)
	if err != nil {
		return err
	}
	def, err := s.care.InstrumentDefinition(ctx, who, showInstrument, "")
	if err != nil {
		return err
	}
	found, err := s.care.Trajectories(ctx, who, id, care.TrajectoryQuery{Instrument: showInstrument})
	if err != nil {
		return err
	}
	return printTrajectory(t.out, picture{
		Client: client, Instrument: def, Trajectory: found[0],
		ASCII:  !unicodeTerminal(),
		Colour: term.IsTerminal(int(t.out.Fd())) && os.Getenv("NO_COLOR") == "",
	})
}

// unicodeTerminal follows the locale. Where none is set the output is
// UTF-8, as everywhere else in Go.
func unicodeTerminal() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(os.Getenv(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8") || v == "C" || v == "POSIX"
		}
	}
	return true
}

// print says where to look and with which key.
func (k demoKeys) print(t *terminal, url string, client uuid.UUID, n demo.Seeded) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nA synthetic clinic: %d clients, %d sessions, %d assessments. Nobody in it exists,\nand nothing of it is kept when this ends (Ctrl-C).\n",
		n.Clients, n.Sessions, n.Assessments)
	fmt.Fprintf(&b, "\nThe pages: open %s in a browser and sign in as one of\n\n", url)
	for i, person := range demoPeople {
		fmt.Fprintf(&b, "  %-11s %-20s %s\n", person.Role, string(person.Email), string(k.password[i]))
	}
	fmt.Fprintf(&b, "\nThe client above is %s/clients/%s there.\n\nFor programs, with a key for each role:\n", url, client)
	fmt.Fprintf(&b, "\n  API         %s/v1\n  Reference   %s/swagger/index.html\n  OpenAPI     %s/openapi.json\n  Health      %s/readyz   %s/metrics\n\n", url, url, url, url, url)
	for _, role := range auth.Roles() {
		fmt.Fprintf(&b, "  %-11s %s\n", role, string(k.secret[role]))
	}
	fmt.Fprintf(&b, "\nThis client's trajectory as JSON:\n\ncurl -s -H 'Authorization: Bearer %s' '%s/v1/clients/%s/trajectory?instrument=%s'\n\n",
		string(k.secret[auth.Clinician]), url, client, showInstrument)
	_, err := fmt.Fprint(t.out, b.String())
	return err
}
