package export

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// Sum counts and hashes what is written through it, for a trailer or a
// manifest. Make one with NewSum.
type Sum struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
}

// NewSum hands on to w what is written to the Sum.
func NewSum(w io.Writer) *Sum { return &Sum{w: w, hash: sha256.New()} }

// Write hands p on, and counts what was taken of it.
func (s *Sum) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.hash.Write(p[:n])
	s.bytes += int64(n)
	return n, err
}

// Bytes is how many bytes were written.
func (s *Sum) Bytes() int64 { return s.bytes }

// SHA256 is the sum of what was written, in hexadecimal digits.
func (s *Sum) SHA256() string { return hex.EncodeToString(s.hash.Sum(nil)) }
