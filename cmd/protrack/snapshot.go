package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/export"
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
		return errors.New("no key is known: name the one that signed the package with --key")
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
	v, err := research.VerifyPackage(f, info.Size(), trusted...)
	if err != nil {
		return explain(c.File, err)
	}
	_, err = io.WriteString(t.out, describe(v))
	return err
}

// describe says what a package holds, and how it is not the first of its
// snapshot: that is no fault, but whoever compares the two is to know why.
func describe(v research.Verified) string {
	var b strings.Builder
	fmt.Fprintf(&b, "whole and as it was signed: %s %s, %d rows of %d people, as known at %s, %d files, written by %s\n",
		v.Profile, v.Request.Table, v.Rows, v.People.Included, v.AsOf.Format(time.RFC3339), len(v.Files), v.Program)
	for _, pseudonym := range v.Withdrawn {
		fmt.Fprintf(&b, "withdrawn since: %s\n", pseudonym)
	}
	if v.Differs != nil {
		files := strings.Join(v.Differs.Files, ", ")
		fmt.Fprintf(&b, "differs from the first package, written by %s, though nobody has withdrawn: %s\n",
			v.Differs.FirstProgram, cmp.Or(files, export.ManifestFile))
	}
	if v.Repacked {
		b.WriteString("differs from the first package in how it is packed: its files are the same\n")
	}
	return b.String()
}
