package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protrack/protrack/api"
	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/mail"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/webhook"
)

type serveCmd struct {
	Addr string `env:"PROTRACK_ADDR" default:"127.0.0.1:8080" help:"Address to listen on."`
	database
	fieldKeys
	logging
	sealing
	identityProvider
	sending
	posting
	Instruments string        `env:"PROTRACK_INSTRUMENTS" placeholder:"DIR" help:"Folder with the clinic's own instrument files."`
	CORSOrigins []string      `name:"cors-origins" env:"PROTRACK_CORS_ORIGINS" placeholder:"ORIGIN" help:"Sites whose pages may call the API, such as https://app.example. None by default."`
	Proxies     []string      `name:"trusted-proxies" env:"PROTRACK_TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. None by default."`
	TLSCert     string        `name:"tls-cert" env:"PROTRACK_TLS_CERT" placeholder:"FILE" help:"Certificate with its chain, PEM; read again when it changes."`
	TLSKey      string        `name:"tls-key" env:"PROTRACK_TLS_KEY" placeholder:"FILE" help:"Key of the certificate, PEM."`
	KeyRate     int           `env:"PROTRACK_KEY_RATE" default:"1000" help:"Requests a second that one key may make, and ten times as many at once."`
	AdminKey    auth.Secret   `env:"PROTRACK_ADMIN_KEY" hidden:"" help:"First admin key of an empty database, at least 32 characters. One is generated if absent."`
	DrainDelay  time.Duration `env:"PROTRACK_DRAIN_DELAY" default:"0s" help:"On SIGTERM: how long to answer 'not ready' and go on serving, for a load balancer to notice."`
	DrainTime   time.Duration `env:"PROTRACK_DRAIN_TIME" default:"15s" help:"On SIGTERM: how long requests under way may take; what takes longer is cut off."`
}

// firstClinic is the clinic of an empty database.
const firstClinic = "default"

// Run serves until the context ends, then drains.
func (c serveCmd) Run(ctx context.Context, t *terminal) error {
	log := c.logger(t.err)
	edge, err := c.edge(log)
	if err != nil {
		return err // before anything is made
	}
	keys, err := c.keys()
	if err != nil {
		return err
	}
	cfg := c.config(log)
	cfg.FieldKeys = keys
	s, err := migrated(ctx, cfg, c.Instruments)
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
	return s.serve(ctx, listener, c, edge, log)
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
		_, err = fmt.Fprintf(w, "The admin key of the new clinic %q, shown this once:\n\n  %s\n\nIn a browser, /setup makes the first account with it.\n\n", firstClinic, string(secret))
	}
	return err
}

// serve answers until the context ends. Then it turns not ready, waits for a
// load balancer to notice, and drains.
func (s *services) serve(ctx context.Context, listener net.Listener, c serveCmd, edge edge, log *slog.Logger) error {
	var draining atomic.Bool
	sealer := s.sealer(c.sealing, c.Database, log)
	stopSealing := background(ctx, sealer.Run)
	defer stopSealing()
	s.research.Signer = sealer.Signer
	webhooks, worker := s.outbox(edge.webhooks, log)
	stopSending := background(ctx, worker.Run)
	defer stopSending()
	escalator := &care.Escalator{Care: s.care, Clinics: s.db.Clinics, Log: log}
	stopEscalating := background(ctx, escalator.Run)
	defer stopEscalating()
	letters := s.letters(edge.post, log)
	stopPosting := background(ctx, letters.Run)
	defer stopPosting()
	sessions := &store.WebSessions{DB: s.db, Now: time.Now}
	stopSweeping := background(ctx, sweep(sessions, log))
	defer stopSweeping()
	handler := api.New(api.Deps{ //nolint:contextcheck // requests have contexts of their own
		Care: s.care, Research: s.research, Keys: s.keys, Webhooks: webhooks, Waiting: worker.Waiting, Queued: letters.Waiting, Log: log, NewID: newID, Version: version, CORSOrigins: c.CORSOrigins,
		Limits: mw.NewLimits(c.KeyRate, time.Now), Proxies: edge.proxies,
		Provider: edge.provider, Sessions: sessions, Clinic: firstClinic, Now: time.Now,
		Ready: func(ctx context.Context) error {
			if draining.Load() {
				return fault.New(fault.Unavailable, "The server is shutting down.")
			}
			if err := s.db.Ping(ctx); err != nil {
				return err
			}
			return errors.Join(sealed(sealer), moving(worker), escalated(escalator), posted(letters))
		},
		Stopping:    ctx.Done(),
		Unescalated: escalator.Overdue,
		Unsealed:    func() time.Duration { lag, _ := sealer.Health(); return lag },
	})
	requests := &counted{Handler: handler}
	server := api.Server(c.Addr, requests, log)
	server.TLSConfig = edge.tls
	failed := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			failed <- server.ServeTLS(listener, "", "")
			return
		}
		failed <- server.Serve(listener)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	draining.Store(true)
	log.Info("draining", "delay", c.DrainDelay.String(), "time", c.DrainTime.String())
	time.Sleep(c.DrainDelay)
	if err := drain(context.WithoutCancel(ctx), server, requests, c.DrainTime, log); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	log.Info("stopped")
	return nil
}

// sweep removes browser sessions whose time is over, once an hour.
func sweep(sessions *store.WebSessions, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		for hour := time.NewTicker(time.Hour); ; {
			select {
			case <-ctx.Done():
				hour.Stop()
				return
			case <-hour.C:
			}
			if err := sessions.DropExpired(ctx); err != nil {
				log.WarnContext(ctx, "expired sessions were not removed", "error", err.Error())
			}
		}
	}
}

// background runs fn until the function it gives is called, which waits for it.
func background(ctx context.Context, fn func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { fn(ctx) })
	return func() { cancel(); running.Wait() }
}

// edge is what the flags say about who comes in, and how.
type edge struct {
	proxies  []netip.Prefix
	provider *auth.OIDC  // nil: none
	tls      *tls.Config // nil: plain HTTP
	webhooks webhook.Rules
	post     mail.Post // nil: no mail is sent
}

// edge reads those flags, and lists every fault of them.
func (c serveCmd) edge(log *slog.Logger) (out edge, err error) {
	var faults [6]error
	out.proxies, faults[0] = mw.ParseProxies(c.Proxies)
	out.provider, faults[1] = c.identityProvider.open()
	out.tls, faults[2] = c.tls(log)
	out.webhooks, faults[4] = c.sending.rules()
	out.post, faults[5] = c.sender()
	if c.KeyRate < 1 {
		faults[3] = fmt.Errorf("--key-rate %d lets nobody in", c.KeyRate)
	}
	return out, errors.Join(faults[:]...)
}

// tls is the server's certificate; nil where none is configured.
func (c serveCmd) tls(log *slog.Logger) (*tls.Config, error) {
	if c.TLSCert == "" && c.TLSKey == "" {
		return nil, nil //nolint:nilnil // no certificate is no error
	}
	return certificate(c.TLSCert, c.TLSKey, log, time.Now)
}

type healthcheckCmd struct {
	Addr    string `env:"PROTRACK_ADDR" default:"127.0.0.1:8080" help:"Address that the server listens on."`
	TLSCert string `name:"tls-cert" env:"PROTRACK_TLS_CERT" placeholder:"FILE" help:"The server's certificate, where it has one."`
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
	scheme, client := "http", http.DefaultClient
	if c.TLSCert != "" {
		// The certificate is for the name that clients use, not for this address,
		// and nothing secret is sent.
		scheme = "https"
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see above
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", res.Status)
	}
	return nil
}
