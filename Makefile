# Everything that is done to Protrack by hand. `make` lists it.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL    := go tool -modfile=.tools/go.mod
# For bench: which benchmarks, in which packages, how often.
BENCH   ?= .
PACKAGES ?= ./...
COUNT   ?= 6

.DEFAULT_GOAL := help

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## start the server on a local SQLite file
	go run ./cmd/protrack serve

.PHONY: demo
demo: ## start the server on a synthetic clinic
	go run ./cmd/protrack demo

.PHONY: check
check: ## do what CI does: format, vet, lint, generated files, build, tests
	.ci/run

.PHONY: fmt
fmt: ## format the code and sort its imports
	$(TOOL) golangci-lint fmt

.PHONY: lint
lint: ## look for defects and for breaches of the style
	$(TOOL) golangci-lint run

.PHONY: generate
generate: ## write the generated files anew
	go generate ./...

.PHONY: test
test: ## run every test at its small size
	go test ./...

.PHONY: race
race: ## run every test under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -timeout 30m ./...

.PHONY: soak
soak: ## run every test at its full size (hours)
	PROTRACK_TEST_LONG=1 go test -count=1 -timeout 6h ./...

.PHONY: bench
bench: ## measure; compare two runs: make bench >old.txt, then benchstat old.txt new.txt
	@go test -run='^$$' -bench='$(BENCH)' -benchmem -count=$(COUNT) -timeout 2h $(PACKAGES)

.PHONY: build
build: ## build the program, static, as bin/protrack
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/protrack ./cmd/protrack
