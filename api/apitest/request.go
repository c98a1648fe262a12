package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/protrack/protrack/pkg/auth"
)

// Response is an answer that was read to its end.
type Response struct {
	Status  int
	Header  http.Header
	Trailer http.Header
	Body    []byte
	t       testing.TB
}

// Decode reads the body into v.
func (r *Response) Decode(v any) {
	r.t.Helper()
	if err := json.Unmarshal(r.Body, v); err != nil {
		r.t.Fatalf("%v in %s", err, r.Body)
	}
}

// JSON reads the body as a map.
func (r *Response) JSON() map[string]any {
	r.t.Helper()
	var m map[string]any
	r.Decode(&m)
	return m
}

// Want fails the test unless the status is the one given.
func (r *Response) Want(status int) *Response {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("status %d instead of %d: %s", r.Status, status, r.Body)
	}
	return r
}

// Do sends a request as the clinic's admin: body may be nil, []byte, string,
// an io.Reader (sent in chunks) or a value to encode. Each pair of headers is
// a name and a value; an Authorization given there replaces the admin's key,
// and an empty value takes the header away.
func (s *Server) Do(method, path string, body any, headers ...string) *Response {
	s.t.Helper()
	return s.As(s.Clinic.Key[auth.Admin], method, path, body, headers...)
}

// As is Do with another key.
func (s *Server) As(key, method, path string, body any, headers ...string) *Response {
	s.t.Helper()
	res, err := s.Try(key, method, path, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

// Try is As for goroutines, which must not end the test.
func (s *Server) Try(key, method, path string, body any, headers ...string) (*Response, error) {
	s.t.Helper()
	req, payload, err := s.request(method, path, body)
	if err != nil {
		return nil, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := caller.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	out := &Response{Status: res.StatusCode, Header: res.Header, Trailer: res.Trailer, Body: read, t: s.t}
	s.validate(req, payload, out)
	return out, nil
}

// caller keeps connections for many goroutines at once.
var caller = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// request makes a request and the payload that the contract is checked with.
func (s *Server) request(method, path string, body any) (*http.Request, []byte, error) {
	var payload []byte
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		payload = b
	case string:
		payload = []byte(b)
	case io.Reader:
		reader = b
	default:
		var err error
		if payload, err = json.Marshal(b); err != nil {
			return nil, nil, err
		}
	}
	if reader == nil {
		reader = bytes.NewReader(payload)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, reader)
	return req, payload, err
}

// ReadAll reads an answer to its end.
func ReadAll(t testing.TB, res *http.Response) *Response {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Trailer: res.Trailer, Body: body, t: t}
}
