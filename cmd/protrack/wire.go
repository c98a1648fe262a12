package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store"
)

// database is the flag that every command with a database has.
type database struct {
	Database string `name:"database" env:"PROTRACK_DATABASE" default:"${database}" placeholder:"URL" help:"sqlite:///path/file.db or postgres://user@host/name (default: ${database}). Prefer the environment for a URL with a password."`
	Owner    string `name:"owner-database" env:"PROTRACK_OWNER_DATABASE" placeholder:"URL" help:"PostgreSQL: the same database as the user who owns its schema, and migrates it; --database is then a user who was granted protrack_app."`
}

// config says which database to open, and as whom.
func (d database) config(log *slog.Logger) store.Config {
	return store.Config{URL: d.Database, OwnerURL: d.Owner, Log: log}
}

// logging is the flag of the log's form.
type logging struct {
	LogFormat string `env:"PROTRACK_LOG_FORMAT" enum:"json,text" default:"json" help:"Form of the log: json or text."`
	LogLevel  string `env:"PROTRACK_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" help:"Least level that is logged."`
}

// defaultDatabase is a file in the user's data directory.
func defaultDatabase() string {
	dir := os.Getenv("XDG_DATA_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = "."
		}
		dir = filepath.Join(home, ".local", "share")
	}
	return "sqlite://" + filepath.Join(dir, "protrack", "protrack.db")
}

func (l logging) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.LogLevel)) // the parser has checked it
	options := &slog.HandlerOptions{Level: level}
	if l.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// services is the record and the keys on one database.
type services struct {
	db   *store.DB
	care *care.Service
	keys *auth.Service

	research *research.Service
}

// newID makes the ids of what the server itself creates. Version 7 keeps
// neighbours in time together in an index.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// newSecret makes the secrets of research projects.
func newSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// open opens the database and the services on it. dir may be empty.
func open(ctx context.Context, cfg store.Config, dir string) (*services, error) {
	library, err := loadInstruments(dir)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &services{
		db:   db,
		care: &care.Service{Store: db, Instruments: library, Now: time.Now, NewID: newID, Log: cfg.Log},
		keys: &auth.Service{Store: db, Now: time.Now, NewID: newID, Log: cfg.Log, Passwords: auth.NewHasher(runtime.GOMAXPROCS(0))},

		research: &research.Service{Store: db, Instruments: library, Now: time.Now, NewID: newID, NewSecret: newSecret, Log: cfg.Log},
	}, nil
}

func loadInstruments(dir string) (*instrument.Library, error) {
	if dir == "" {
		return instrument.Embedded(), nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("--instruments %s is not a folder", dir)
	}
	library, err := instrument.Load(os.DirFS(dir))
	if err != nil {
		return nil, explain("an instrument file is not valid", err)
	}
	return library, nil
}

// knowsItsInstruments refuses a database with answers to an instrument that
// is not loaded: which way is better, and by which rules, would be guessed.
func (s *services) knowsItsInstruments(ctx context.Context) error {
	stored, err := s.db.StoredInstruments(ctx)
	if err != nil {
		return err
	}
	for _, id := range stored {
		if _, err := s.care.Instruments.Get(id); err != nil {
			return fmt.Errorf("the database holds answers to %s, which is not defined: name its folder with --instruments", id)
		}
	}
	return nil
}

// migrated opens the services and makes sure that the schema is the
// program's own.
func migrated(ctx context.Context, cfg store.Config, dir string) (*services, error) {
	s, err := open(ctx, cfg, dir)
	if err != nil {
		return nil, err
	}
	if _, err := s.db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// existing opens the services on a database that a server has made, and
// changes nothing of its schema: another program may be running on it.
func existing(ctx context.Context, cfg store.Config, dir string) (*services, error) {
	cfg.MustExist = true
	s, err := open(ctx, cfg, dir)
	if err != nil {
		return nil, err
	}
	if err := s.db.CheckSchema(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}
