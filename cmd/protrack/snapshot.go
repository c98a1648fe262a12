package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/protrack/protrack/pkg/research"
)

type snapshotCmd struct {
	Verify snapshotVerifyCmd `cmd:"" help:"Check, without a server, that the package of a snapshot is whole and as it was signed."`
}

type snapshotVerifyCmd struct {
	auditFlags
	File string   `arg:"" placeholder:"FILE" help:"The package, a ZIP file."`
	Keys []string `name:"key" placeholder:"PUBLIC" help:"Public key to trust, as 'protrack audit key' prints it; default: that of the key file."`
}

// Run verifies the package and says what it holds.
func (c snapshotVerifyCmd) Run(t *terminal) error {
	trusted, err := c.trusted(c.Keys)
	if err != nil {
		return explain("signing key", err)
	}
	if len(trusted) == 0 {
		return errors.New("name the key that signed it with --key")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m, err := research.VerifyPackage(f, info.Size(), trusted...)
	if err != nil {
		return explain(c.File, err)
	}
	_, err = fmt.Fprintf(t.out, "whole and as it was signed: %s %s, %d rows of %d people, as known at %s, %d files\n",
		m.Profile, m.Request.Table, m.Rows, m.People.Included, m.AsOf.Format(time.RFC3339), len(m.Files))
	for _, pseudonym := range m.Withdrawn {
		if err == nil {
			_, err = fmt.Fprintf(t.out, "withdrawn since: %s\n", pseudonym)
		}
	}
	return err
}
