package apitest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/protrack/protrack/docs"
)

// files are answers of which the document says no more than what they are.
var files = []string{
	"text/html", "text/csv", "text/plain", "application/zip", "application/x-ndjson", "application/vnd.apache.parquet",
	"application/x-stata-dta", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"image/svg+xml", "image/png", "text/event-stream",
}

// Document is the OpenAPI document, tightened for tests: an answer may not
// hold a member that is not documented.
var Document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(docs.OpenAPI)
	if err != nil {
		return nil, err
	}
	no := false
	for _, s := range doc.Components.Schemas {
		if s.Value.Type.Is("object") && s.Value.AdditionalProperties.Schema == nil && len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
		}
	}
	openapi3.DefineStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`))
	for _, file := range files {
		openapi3filter.RegisterBodyDecoder(file, openapi3filter.FileBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder("application/problem+json", openapi3filter.RegisteredBodyDecoder("application/json"))
	return doc, nil
})

var router = sync.OnceValues(func() (routers.Router, error) {
	doc, err := Document()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// validate holds an answer against the document. What was asked may be
// wrong on purpose; what is answered may not.
func (s *Server) validate(req *http.Request, payload []byte, res *Response) {
	s.t.Helper()
	if req.Method == http.MethodOptions {
		return // Echo's own: it says which methods there are
	}
	if s.breaking && res.Status == http.StatusInternalServerError {
		return
	}
	r, err := router()
	if err != nil {
		s.t.Error(err)
		return
	}
	routed := req.Clone(context.Background())
	routed.URL.Host, routed.URL.Scheme, routed.Host = "", "", ""
	routed.Body = io.NopCloser(bytes.NewReader(payload))
	route, params, err := r.FindRoute(routed)
	if err != nil {
		if res.Status < http.StatusBadRequest {
			s.t.Errorf("%s %s answers %d and is not documented: %v", req.Method, req.URL.Path, res.Status, err)
		}
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: routed, PathParams: params, Route: route},
		Status:                 res.Status, Header: res.Header, Body: io.NopCloser(bytes.NewReader(res.Body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		s.t.Errorf("%s %s %d is not as documented: %.1000v\n%.1000s", req.Method, route.Path, res.Status, err, res.Body)
	}
}
