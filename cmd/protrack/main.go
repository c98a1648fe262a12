// Command protrack is the whole product in one binary: the server, its
// database's migrations, its keys, and a demo.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // clients' time zones, also where the system has none

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "protrack:", err)
		stop()
		os.Exit(1) //nolint:gocritic // nothing is left to defer: stop was called
	}
}

// cli is the one table of commands, flags and environment variables.
type cli struct {
	Serve       serveCmd       `cmd:"" help:"Run the server."`
	Migrate     migrateCmd     `cmd:"" help:"Bring the database's schema up to date, or tell where it stands."`
	Demo        demoCmd        `cmd:"" help:"Run the server on a synthetic clinic in a temporary database."`
	Seed        seedCmd        `cmd:"" help:"Fill a clinic with invented clients, for trials of size."`
	Keys        keysCmd        `cmd:"" help:"Create, list, rotate and revoke API keys."`
	Accounts    accountsCmd    `cmd:"" help:"Create, list, reset and disable the accounts of people."`
	Audit       auditCmd       `cmd:"" help:"Verify or export the audit trail."`
	Snapshot    snapshotCmd    `cmd:"" help:"Check the package of a snapshot."`
	Fields      fieldsCmd      `cmd:"" help:"Encrypt names and references in the database, and rotate the keys."`
	Progress    progressCmd    `cmd:"" help:"Recompute the read model of a clinic."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask a running server whether it can serve; for containers."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// errUsage marks an error that kong has explained already.
var errUsage = errors.New("see protrack --help")

func run(ctx context.Context, args []string, stdout, stderr *os.File) error {
	var c cli
	exited := false
	parser, err := kong.New(&c,
		kong.Name("protrack"),
		kong.Description("Symptom trajectories from questionnaires before and after each session of ketamine-assisted psychotherapy."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { exited = true }),
		kong.Vars{"database": defaultDatabase()},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&terminal{in: os.Stdin, out: stdout, err: stderr}),
	)
	if err != nil {
		return err
	}
	k, err := parser.Parse(args)
	if exited {
		return nil
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return errUsage
	}
	return k.Run()
}

// terminal is where commands write, and read what must not be an argument.
type terminal struct{ in, out, err *os.File }

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(t *terminal) error {
	_, err := fmt.Fprintln(t.out, version)
	return err
}
