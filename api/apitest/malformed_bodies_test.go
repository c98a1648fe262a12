package apitest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
)

const (
	s400 = http.StatusBadRequest
	s404 = http.StatusNotFound
	s409 = http.StatusConflict
	s413 = http.StatusRequestEntityTooLarge
	s415 = http.StatusUnsupportedMediaType
	s422 = http.StatusUnprocessableEntity
)

const (
	postClient     = "POST /v1/clients"
	postCourse     = "POST /v1/clients/{client}/courses"
	postSession    = "POST /v1/clients/{client}/sessions"
	postAssessment = "POST /v1/clients/{client}/assessments"
	postScore      = "POST /v1/instruments/phq-9/score"
)

// deep is a hundred thousand brackets.
var deep = strings.Repeat("[", 100_000)

// tenMegabytes is a JSON text that is fine but for its size.
var tenMegabytes = sync.OnceValue(func() string {
	return `{"reference":"P-9","display_name":"` + strings.Repeat("x", 10<<20) + `"}`
})

// unreadable are bodies that are no JSON object as it is read here.
var unreadable = []bad{
	{name: "an empty body", ask: postClient, body: "", status: s400},
	{name: "an empty assessment", ask: postAssessment, body: "", status: s400},
	{name: "white space", ask: postAssessment, body: " \n\t ", status: s400},
	{name: "no body at all", ask: postAssessment, headers: []string{"Content-Type", "application/json"}, status: s400},
	{name: "null", ask: postAssessment, body: "null", status: s400},
	{name: "a list", ask: postAssessment, body: "[]", status: s400},
	{name: "a text", ask: postAssessment, body: `"phq-9"`, status: s400},
	{name: "a number", ask: postAssessment, body: "17", status: s400},
	{name: "true", ask: postClient, body: "true", status: s400},
	{name: "trailing data", ask: postClient, body: `{"reference":"canary-a"} {"reference":"P-8"}`, status: s400, faults: []string{" not_json"}},
	{name: "a trailing bracket", ask: postClient, body: `{"reference":"P-9"}}`, status: s400, faults: []string{" not_json"}},
	{name: "truncated JSON", ask: postClient, body: `{"reference":"canary-b`, status: s400, faults: []string{"/reference not_json"}},
	{name: "truncated in a list", ask: "POST /v1/assessments/batch", body: `{"items":[{"client_id":`, status: s400, faults: []string{"/items/0/client_id not_json"}},
	{name: "a comment", ask: postClient, body: `{"reference":"P-9" /* canary-c */}`, status: s400, faults: []string{" not_json"}},
	{name: "single quotes", ask: postClient, body: `{'reference':'P-9'}`, status: s400, faults: []string{" not_json"}},
	{name: "a trailing comma", ask: postClient, body: `{"reference":"P-9",}`, status: s400, faults: []string{" not_json"}},
	{name: "a byte order mark", ask: postClient, body: "\ufeff{\"reference\":\"P-9\"}", status: s400, faults: []string{" not_json"}},
	{name: "a NUL behind the end", ask: postClient, body: "{\"reference\":\"P-9\"}\x00", status: s400, faults: []string{" not_json"}},
	{name: "bytes that are not UTF-8", ask: postClient, body: []byte("{\"reference\":\"P-\xff\"}"), status: s400, faults: []string{"/reference not_json"}},
	{name: "UTF-16", ask: postClient, body: []byte("{\x00}\x00"), status: s400, faults: []string{" not_json"}},
	{name: "a lone surrogate", ask: postClient, body: `{"reference":"P-\ud800"}`, status: s400, faults: []string{"/reference not_json"}},
	{name: "a raw control character in a text", ask: postClient, body: "{\"reference\":\"P\x01\"}", status: s400, faults: []string{"/reference not_json"}},
	{name: "NaN", ask: postAssessment, body: `{"total":NaN}`, status: s400, faults: []string{"/total not_json"}},
	{name: "Infinity", ask: postAssessment, body: `{"total":-Infinity}`, status: s400, faults: []string{"/total not_json"}},
	{name: "a number with a leading zero", ask: postAssessment, body: `{"total":017}`, status: s400, faults: []string{" not_json"}},
	{name: "a hexadecimal number", ask: postAssessment, body: `{"total":0x11}`, status: s400, faults: []string{" not_json"}},
	{name: "a hundred thousand brackets", ask: postClient, body: deep, status: s400, faults: []string{" not_json"}},
	{name: "a hundred thousand brackets in a member", ask: postAssessment, body: `{"answers":` + deep, status: s400, faults: []string{" not_json"}},
	{name: "a member twice", ask: postClient, body: `{"reference":"P-8","reference":"P-9"}`, status: s400, faults: []string{"/reference duplicate_field"}},
	{name: "a member twice, once escaped", ask: postClient, body: `{"reference":"P-8","\u0072eference":"P-9"}`, status: s400, faults: []string{"/reference duplicate_field"}},
	{name: "an answer twice", ask: postScore, body: `{"answers":{"phq9_1":0,"phq9_1":3}}`, status: s400, faults: []string{"/answers/phq9_1 duplicate_field"}},
	{name: "a nested member twice", ask: postSession, status: s400, faults: []string{"/medicine/dose_mg duplicate_field"},
		body: `{"kind":"dosing","started_at":"2026-03-10T15:00:00Z","medicine":{"substance":"ketamine","route":"oral","dose_mg":1,"dose_mg":100}}`},
	{name: "the items of a batch twice", ask: "POST /v1/assessments/batch", body: `{"items":[],"items":[]}`, status: s400, faults: []string{"/items duplicate_field"}},
}

// unpackable are bodies whose size, type or packing is not read here.
var unpackable = []bad{
	{name: "ten megabytes", ask: postClient, body: func() io.Reader { return bytes.NewReader([]byte(tenMegabytes())) }, status: s413},
	{name: "ten megabytes in chunks", ask: postClient, body: func() io.Reader { return io.MultiReader(strings.NewReader(tenMegabytes())) }, status: s413},
	{name: "ten megabytes of white space behind the end", ask: postClient, status: s413,
		body: func() io.Reader {
			return io.MultiReader(strings.NewReader(`{"reference":"P-9"}` + strings.Repeat(" ", 10<<20)))
		}},
	{name: "a batch of ten megabytes", ask: "POST /v1/assessments/batch", body: func() io.Reader { return io.MultiReader(strings.NewReader(tenMegabytes())) }, status: s413},
	{name: "a gzip bomb", ask: postClient, body: func() io.Reader { return bytes.NewReader(bomb()) }, headers: []string{"Content-Encoding", "gzip"}, status: s413},
	{name: "a gzip bomb as a batch", ask: "POST /v1/assessments/batch", body: func() io.Reader { return bytes.NewReader(bomb()) }, headers: []string{"Content-Encoding", "gzip"}, status: s413},
	{name: "a body that says gzip and is none", ask: postClient, body: `{"reference":"P-9"}`, headers: []string{"Content-Encoding", "gzip"}, status: s400},
	{name: "gzip that ends too soon", ask: postClient, body: pack(`{"reference":"P-9"}`)[:20], headers: []string{"Content-Encoding", "gzip"}, status: s400},
	{name: "gzip with a wrong checksum", ask: postClient, body: spoilt(pack(`{"reference":"P-9"}`)), headers: []string{"Content-Encoding", "gzip"}, status: s400},
	{name: "gzip of nothing", ask: postClient, body: []byte{}, headers: []string{"Content-Encoding", "gzip"}, status: s400},
	{name: "gzip twice", ask: postClient, body: pack(string(pack(`{"reference":"P-9"}`))), headers: []string{"Content-Encoding", "gzip"}, status: s400, faults: []string{" not_json"}},
	{name: "brotli", ask: postClient, body: "x", headers: []string{"Content-Encoding", "br"}, status: s415},
	{name: "two encodings", ask: postClient, body: "x", headers: []string{"Content-Encoding", "gzip, br"}, status: s415},
	{name: "no media type", ask: postClient, body: `{"reference":"P-9"}`, headers: []string{"Content-Type", ""}, status: s415},
	{name: "a form", ask: postClient, body: `reference=P-9`, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: s415},
	{name: "text", ask: postClient, body: `{"reference":"P-9"}`, headers: []string{"Content-Type", "text/plain"}, status: s415},
	{name: "XML", ask: postAssessment, body: `<a/>`, headers: []string{"Content-Type", "application/xml"}, status: s415},
	{name: "a media type that cannot be read", ask: postClient, body: `{"reference":"P-9"}`, headers: []string{"Content-Type", "application/json;;"}, status: s415},
	{name: "latin1", ask: postClient, body: `{"reference":"P-9"}`, headers: []string{"Content-Type", "application/json; charset=iso-8859-1"}, status: s415},
	{name: "a merge patch that creates", ask: postClient, body: `{"reference":"P-9"}`, headers: []string{"Content-Type", "application/merge-patch+json"}, status: s415},
	{name: "a JSON patch", ask: "PATCH /v1/clients/{client}", body: `[]`, headers: []string{"Content-Type", "application/json-patch+json", "If-Match", `"1"`}, status: s415},
}

// pack is gzip.
func pack(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// spoilt breaks the checksum at the end.
func spoilt(b []byte) []byte {
	b[len(b)-6] ^= 0xff
	return b
}

// bomb is 200 megabytes of zeros in some 200 kilobytes.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 200 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	return b.Bytes()
})
