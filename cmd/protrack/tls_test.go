package main_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	main "github.com/protrack/protrack/cmd/protrack"
)

// certified makes a certificate of a name, and its key, in PEM.
func certified(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// served is a certificate in files, with a clock to set.
type served struct {
	t         *testing.T
	cert, key string
	config    *tls.Config
	passed    atomic.Int64
	log       bytes.Buffer
}

func serveCertificate(t *testing.T, name string) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{t: t, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	s.write(certified(t, name))
	var err error
	begin := time.Now()
	s.config, err = main.Certificate(s.cert, s.key, slog.New(slog.NewTextHandler(&s.log, nil)),
		func() time.Time { return begin.Add(time.Duration(s.passed.Load())) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *served) write(cert, key []byte) {
	s.t.Helper()
	for path, text := range map[string][]byte{s.cert: cert, s.key: key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *served) pass(d time.Duration) { s.passed.Add(int64(d)) }

// greet shakes hands and tells the name that was shown.
func (s *served) greet(client *tls.Config) (string, error) {
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	go func() { _ = tls.Server(a, s.config).HandshakeContext(context.Background()) }()
	client.InsecureSkipVerify = true
	conn := tls.Client(b, client)
	if err := conn.HandshakeContext(s.t.Context()); err != nil {
		return "", err
	}
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

// shows checks whose certificate is shown.
func (s *served) shows(want string) {
	s.t.Helper()
	if got, err := s.greet(&tls.Config{}); err != nil || got != want {
		s.t.Errorf("after %s the certificate is that of %q instead of %q: %v", time.Duration(s.passed.Load()), got, want, err)
	}
}

func TestANewCertificateIsServedWithinHalfAMinute(t *testing.T) {
	t.Parallel()
	s := serveCertificate(t, "first")
	s.shows("first")
	s.write(certified(t, "second"))
	s.pass(29 * time.Second)
	s.shows("first")
	s.pass(time.Second)
	s.shows("second")
	s.write(certified(t, "third"))
	s.shows("second")
	s.pass(time.Hour)
	s.shows("third")
	if n := strings.Count(s.log.String(), "certificate renewed"); n != 2 {
		t.Errorf("two renewals are logged %d times: %s", n, &s.log)
	}
}

func TestABrokenPairLeavesTheLastGoodOneAndIsLoggedOnce(t *testing.T) {
	t.Parallel()
	cert, key := certified(t, "second")
	oldCert, oldKey := certified(t, "other")
	for name, breakIt := range map[string]func(s *served){
		"one half":            func(s *served) { s.write(cert, oldKey) },
		"the other half":      func(s *served) { s.write(oldCert, key) },
		"a file written half": func(s *served) { s.write(cert[:len(cert)/2], key) },
		"an empty file":       func(s *served) { s.write(nil, key) },
		"no certificate":      func(s *served) { _ = os.Remove(s.cert) },
		"no key":              func(s *served) { _ = os.Remove(s.key) },
		"files exchanged":     func(s *served) { s.write(key, cert) },
	} {
		s := serveCertificate(t, "first")
		breakIt(s)
		for range 10 {
			s.pass(30 * time.Second)
			s.shows("first")
		}
		if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=ERROR") || strings.Contains(log, "PRIVATE KEY") {
			t.Errorf("%s: logged %q", name, log)
		}
		s.write(cert, key)
		s.pass(30 * time.Second)
		s.shows("second")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestNoServerStartsWithACertificateThatIsBroken(t *testing.T) {
	t.Parallel()
	s := serveCertificate(t, "first")
	_, other := certified(t, "second")
	stray := filepath.Join(t.TempDir(), "stray.pem")
	if err := os.WriteFile(stray, other, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{s.cert, ""}, {"", s.key}, {"", ""}, {s.cert, stray}, {s.key, s.cert}, {s.cert, s.key + "x"}, {t.TempDir(), s.key}} {
		config, err := main.Certificate(pair[0], pair[1], slog.New(slog.DiscardHandler), time.Now)
		if err == nil || config != nil || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%q: %v", pair, err)
		}
	}
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	t.Parallel()
	s := serveCertificate(t, "first")
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		if _, err := s.greet(&tls.Config{MinVersion: version, MaxVersion: version}); (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestManyHandshakesDuringARenewalAllGetACertificate(t *testing.T) {
	t.Parallel()
	s := serveCertificate(t, "first")
	s.write(certified(t, "second"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				s.pass(time.Second)
				if name, err := s.greet(&tls.Config{}); err != nil || name == "" {
					t.Errorf("%q: %v", name, err)
				}
			}
		})
	}
	all.Wait()
	s.pass(30 * time.Second)
	s.shows("second")
}

func TestAServerWithTheCertificateSpeaksHTTP2AndIsTrusted(t *testing.T) {
	t.Parallel()
	s := serveCertificate(t, "clinic.example")
	text, err := os.ReadFile(s.cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{TLSConfig: s.config, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "clinic.example"}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	res, err := (&http.Client{Transport: transport}).Get("https://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusNoContent || res.ProtoMajor != 2 {
		t.Errorf("%s %s", res.Proto, res.Status)
	}
}
