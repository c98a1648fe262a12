// Command openapi writes docs/openapi.json: swag reads the handlers' comments
// into Swagger 2, kin-openapi turns that into OpenAPI 3, and what Swagger 2
// cannot say is added here.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/swaggo/swag"
)

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("openapi: ", err)
	}
}

func run() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	doc, err := swagger(root)
	if err != nil {
		return err
	}
	v3, err := openapi2conv.ToV3(doc)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	v3.Tags = doc.Tags // lost on the way, and with them the order of the page
	complete(v3)
	if err := v3.Validate(context.Background()); err != nil {
		return fmt.Errorf("the document is not valid: %w", err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v3); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "openapi.json"), out.Bytes(), 0o644) //nolint:gosec // a document to be read
}

// swagger reads the comments of the HTTP floor.
func swagger(root string) (*openapi2.T, error) {
	p := swag.New(swag.SetDebugger(log.New(io.Discard, "", 0)))
	p.RequiredByDefault = true
	dirs := []string{filepath.Join(root, "api", "rest"), filepath.Join(root, "api"), filepath.Join(root, "pkg", "instrument")}
	if err := p.ParseAPIMultiSearchDir(dirs, "doc.go", 1); err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	b, err := json.Marshal(p.GetSwagger())
	if err != nil {
		return nil, err
	}
	var doc openapi2.T
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, err
	}
	return &doc, nil
}

// moduleRoot finds the folder of go.mod, from wherever go generate runs.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the working folder")
		}
		dir = up
	}
}
