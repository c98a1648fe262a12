package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/protrack/protrack/api"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store"
)

type serveCmd struct {
	Addr string `env:"PROTRACK_ADDR" default:"127.0.0.1:8080" help:"Address to listen on."`
	database
	fieldKeys
	logging
	Instruments string        `env:"PROTRACK_INSTRUMENTS" placeholder:"DIR" help:"Folder with the clinic's own instrument files."`
	CORSOrigins []string      `name:"cors-origins" env:"PROTRACK_CORS_ORIGINS" placeholder:"ORIGIN" help:"Sites whose pages may call the API, such as https://app.example. None by default."`
	AdminKey    auth.Secret   `env:"PROTRACK_ADMIN_KEY" hidden:"" help:"First admin key of an empty database, at least 32 characters. One is generated if absent."`
	DrainDelay  time.Duration `env:"PROTRACK_DRAIN_DELAY" default:"0s" help:"On SIGTERM: how long to answer 'not ready' and go on serving, for a load balancer to notice."`
	DrainTime   time.Duration `env:"PROTRACK_DRAIN_TIME" default:"15s" help:"On SIGTERM: how long requests under way may take."`
}

// firstClinic is the clinic of an empty database.
const firstClinic = "default"

// Run serves until the context ends, then drains.
func (c serveCmd) Run(ctx context.Context, t *terminal) error {
	log := c.logger(t.err)
	keys, err := c.keys()
	if err != nil {
		return err
	}
	s, err := migrated(ctx, store.Config{URL: c.Database, FieldKeys: keys, Log: log}, c.Instruments)
	if err != nil {
		return err
	}
	defer func() { _ = s.db.Close() }()
	if err := errors.Join(s.knowsItsInstruments(ctx), s.readsItsNames(ctx)); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	if err := s.found(ctx, auth.Secret(strings.TrimSpace(string(c.AdminKey))), t.err); err != nil {
		return errors.Join(err, listener.Close())
	}
	log.Info("serving", "addr", listener.Addr().String(), "version", version)
	return s.serve(ctx, listener, c, log)
}

// found gives an empty database its first clinic and key. The key is printed
// once and not kept.
func (s *services) found(ctx context.Context, secret auth.Secret, w io.Writer) error {
	generated := secret == ""
	founded, secret, err := s.keys.Found(ctx, firstClinic, secret)
	if err != nil {
		return explain("first clinic", err)
	}
	if founded && generated {
		_, err = fmt.Fprintf(w, "The admin key of the new clinic %q, shown this once:\n\n  %s\n\n", firstClinic, string(secret))
	}
	return err
}

// serve answers until the context ends. Then it turns not ready, waits for a
// load balancer to notice, takes no more connections, and lets the requests
// under way finish.
func (s *services) serve(ctx context.Context, listener net.Listener, c serveCmd, log *slog.Logger) error {
	var draining atomic.Bool
	handler := api.New(api.Deps{ //nolint:contextcheck // requests have contexts of their own
		Care: s.care, Keys: s.keys, Log: log, NewID: newID, Version: version, CORSOrigins: c.CORSOrigins,
		Ready: func(ctx context.Context) error {
			if draining.Load() {
				return fault.New(fault.Unavailable, "The server is shutting down.")
			}
			return s.db.Ping(ctx)
		},
	})
	server := api.Server(c.Addr, handler, log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	draining.Store(true)
	log.Info("draining", "delay", c.DrainDelay.String(), "time", c.DrainTime.String())
	time.Sleep(c.DrainDelay)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.DrainTime)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		return fmt.Errorf("requests were still under way after %s: %w", c.DrainTime, err)
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	log.Info("stopped")
	return nil
}

type healthcheckCmd struct {
	Addr string `env:"PROTRACK_ADDR" default:"127.0.0.1:8080" help:"Address that the server listens on."`
}

// Run fails unless the server on this machine is ready.
func (c healthcheckCmd) Run(ctx context.Context) error {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("address %s: %w", c.Addr, err)
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", res.Status)
	}
	return nil
}
