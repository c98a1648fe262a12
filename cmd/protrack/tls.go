package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookAgain is how long a certificate is served before its files are read
// again.
const lookAgain = 30 * time.Second

// certificate reads a certificate, with its chain, and its key, both in PEM,
// and serves them by TLS 1.2 and later. The files are read again at a handshake
// when the last reading is lookAgain old: a certificate is renewed by replacing
// them. A pair that is broken, as one half replaced is, leaves the last good one
// in place and is logged once. For http.Server.TLSConfig and ServeTLS.
func certificate(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*tls.Config, error) {
	if certFile == "" || keyFile == "" {
		return nil, errors.New("TLS needs both the file of the certificate and that of its key")
	}
	k := &keyPair{certFile: certFile, keyFile: keyFile, log: log, now: now, looked: now()}
	text, err := k.read()
	if err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	pair, err := text.parse()
	if err != nil {
		return nil, fmt.Errorf("TLS certificate %s with the key %s: %w", certFile, keyFile, err)
	}
	k.served.Store(pair)
	k.seen = text.sum()
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: k.get}, nil
}

// keyPair is a certificate whose files may change.
type keyPair struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time
	served            atomic.Pointer[tls.Certificate]

	looking sync.Mutex // held by the one handshake that reads the files
	looked  time.Time
	seen    [sha256.Size]byte // of what was read last, good or broken
}

// get gives a handshake the certificate. One at a time looks at the files; the
// others do not wait for it.
func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if k.looking.TryLock() {
		defer k.looking.Unlock()
		if now := k.now(); now.Sub(k.looked) >= lookAgain {
			k.looked = now
			k.look()
		}
	}
	return k.served.Load(), nil
}

// look serves what the files hold, if it has changed and is whole.
func (k *keyPair) look() {
	text, err := k.read()
	if err != nil {
		text = pem{[]byte(err.Error()), nil} // a fault is seen once, too
	}
	sum := text.sum()
	if sum == k.seen {
		return
	}
	k.seen = sum
	var pair *tls.Certificate
	if err == nil {
		pair, err = text.parse()
	}
	if err != nil {
		k.log.Error("new certificate not served; the last one is", "file", k.certFile, "error", err.Error())
		return
	}
	k.served.Store(pair)
	k.log.Info("certificate renewed", "file", k.certFile, "until", pair.Leaf.NotAfter)
}

// pem is the text of both files.
type pem struct{ certificate, key []byte }

func (k *keyPair) read() (pem, error) {
	c, err := os.ReadFile(k.certFile)
	if err != nil {
		return pem{}, err
	}
	key, err := os.ReadFile(k.keyFile)
	return pem{c, key}, err
}

func (p pem) parse() (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(p.certificate, p.key)
	return &pair, err
}

func (p pem) sum() [sha256.Size]byte {
	return sha256.Sum256(bytes.Join([][]byte{p.certificate, p.key}, []byte{0}))
}
