package research

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"log/slog"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Project is what pseudonyms are made for: within one a client has the same
// pseudonym in every export, and in another project another one.
type Project struct {
	Name      string
	Secret    Secret // 32 bytes
	CreatedAt time.Time
	CreatedBy uuid.UUID
}

// Secret is the key of a project. It is never handed out, and prints as ***.
type Secret []byte

// String hides the key.
func (Secret) String() string { return "***" }

// GoString is for %#v.
func (Secret) GoString() string { return "***" }

// MarshalText is for JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue is for logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// DefaultProject is the project of whoever names none.
const DefaultProject = "default"

// calendar is the project whose key moves dates, in every project: were a
// client's dates moved by another constant in each, whoever named enough
// projects would find the one true date that fits them all. Its name is one
// that nobody can ask for.
const calendar = "_dates"

var projectName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)

var errProjectName = fault.New(fault.Invalid, "The project's name cannot be used.",
	fault.Detail{Pointer: "/project", In: "query", Code: "not_a_name", Message: "A project's name has at most 63 lower-case letters, digits, dots, hyphens and underscores."})

// project finds a project, or founds it.
func (s *Service) project(ctx context.Context, who auth.Principal, tx Tx, name string) (Project, error) {
	p, err := tx.Project(ctx, who, name)
	if !fault.Is(err, fault.NotFound) {
		return p, err
	}
	p = Project{Name: name, Secret: s.NewSecret(), CreatedAt: stamp(s.Now()), CreatedBy: who.Actor}
	stored, err := tx.InsertProject(ctx, who, p)
	switch {
	case err != nil:
		return Project{}, err
	case !stored:
		return tx.Project(ctx, who, name) // another was quicker
	}
	e := s.entry(who.Did("project.create", "project", uuid.Nil))
	e.Details.Note = map[string]string{"project": name}
	tx.Note(e)
	return p, nil
}

// nameBy lets a disguise name things as a project does.
func (s *Service) nameBy(ctx context.Context, who auth.Principal, tx Tx, d *disguise, name string) error {
	project, err := s.project(ctx, who, tx, name)
	if err != nil {
		return err
	}
	d.names = project.namer()
	if project, err = s.project(ctx, who, tx, calendar); err != nil {
		return err
	}
	d.calendar = project.namer()
	return nil
}

// thing is a kind of thing that has a pseudonym. One id gives another
// pseudonym for each kind.
type thing string

const (
	aClient     thing = "client"
	aCourse     thing = "course"
	aSession    thing = "session"
	anAnswer    thing = "assessment"
	aShift      thing = "shift" // no pseudonym: how far dates are moved
	pseudoBytes       = 10      // 80 bits: of a million clients, two have the same pseudonym with a chance of one in 10^12
)

// prefixes begin the pseudonyms of each kind of thing, with a letter, so that
// no program takes them for numbers.
var prefixes = map[thing]string{aClient: "C-", aCourse: "T-", aSession: "S-", anAnswer: "A-"}

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// namer makes pseudonyms by a project's key. It is one goroutine's.
type namer struct {
	mac    hash.Hash
	id     []byte
	digest []byte
}

func (p Project) namer() *namer { return &namer{mac: hmac.New(sha256.New, p.Secret)} }

// sum is the project's own hash of an id within a kind of things. It holds
// until the next one is asked for.
func (n *namer) sum(of thing, id uuid.UUID) []byte {
	n.mac.Reset()
	n.id = append(append(n.id[:0], of...), id[:]...)
	n.mac.Write(n.id)
	n.digest = n.mac.Sum(n.digest[:0])
	return n.digest
}

// pseudonym stands for an id.
func (n *namer) pseudonym(of thing, id uuid.UUID) string {
	return prefixes[of] + letters.EncodeToString(n.sum(of, id)[:pseudoBytes])
}

// shiftDays bounds how far dates are moved: a year either way hides the season.
const shiftDays = 364

// shift is how far the calendar moves the dates of one person: whole days, the
// same for everything of the person, so that all intervals are kept. It is
// never 0.
func (n *namer) shift(person uuid.UUID) time.Duration {
	sum := n.sum(aShift, person)
	days := int64(binary.BigEndian.Uint64(sum[:8])%(2*shiftDays)) - shiftDays // #nosec G115 -- below 2*shiftDays
	if days >= 0 {
		days++
	}
	return time.Duration(days) * 24 * time.Hour
}
