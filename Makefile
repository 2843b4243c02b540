# docbatch. `make help` lists the targets.

GO        ?= go
BINARY    := docbatch
VERSION   ?=
LDFLAGS   := -s -w $(if $(VERSION),-X main.version=$(VERSION))
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
OUT       := demo-out

export CGO_ENABLED = 0
export DOCBATCH_TEST_CACHE ?= $(CURDIR)/dist/test-cache

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./docbatch
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/docbatch

.PHONY: demo
demo: build ## run the main job over testdata/inbox with the built-in agent
	@mkdir -p $(OUT)
	./$(BINARY) run --demo --state $(OUT)/demo.db -o $(OUT)/results.csv -o $(OUT)/results.xlsx \
		testdata/inbox testdata/inbox/tickets.csv testdata/inbox/invoices.xlsx
	@echo "The results are in $(OUT)/results.csv and $(OUT)/results.xlsx, everything else in $(OUT)/demo.db."
	@echo "Run it again: nothing is asked twice. Look closer with: ./$(BINARY) status --state $(OUT)/demo.db"

.PHONY: test
test: ## run all tests
	$(GO) vet ./...
	$(GO) test ./...

.PHONY: race
race: ## run the short tests under the race detector (needs a C compiler); not PDFium's, which it takes minutes to compile
	CGO_ENABLED=1 $(GO) test -race -short $$($(GO) list ./... | grep -v extract/pdf)

.PHONY: lint
lint: ## gofmt, go vet for all systems, staticcheck
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	GOOS=linux $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

.PHONY: cross
cross: ## build for linux, darwin and windows
	GOOS=linux   GOARCH=amd64 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/docbatch-linux-amd64 ./cmd/docbatch
	GOOS=darwin  GOARCH=arm64 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/docbatch-darwin-arm64 ./cmd/docbatch
	GOOS=windows GOARCH=amd64 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/docbatch-windows-amd64.exe ./cmd/docbatch

.PHONY: compat
compat: build ## the official OpenAI SDK against the built-in agent (needs npm)
	testdata/compat/run.sh ./$(BINARY)

.PHONY: chaos
chaos: ## the program under real faults: nginx, toxiproxy, kill -9, full disks (an hour; CHAOS='-run 429 -n 3' picks and repeats rows)
	$(GO) run ./cmd/chaos $(CHAOS)

.PHONY: chaos-short
chaos-short: ## the same with fewer documents and shorter faults, as in CI (a minute or two)
	$(GO) run ./cmd/chaos -short $(CHAOS)

CORPUS ?= ../shared/corpus
FUZZTIME ?= 60s

.PHONY: corpus
corpus: build ## real documents of others: words found against pdftotext, pandoc, LibreOffice ... (installs them), the worst ten; CORPUS=FOLDER
	$(GO) run ./cmd/corpus -dir $(CORPUS) -docbatch ./$(BINARY)

.PHONY: fuzz
fuzz: ## the long check: each reader of foreign bytes fuzzed for a minute, with the corpus as seeds
	@failed=0; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' pipeline/extract pipeline/charset sources/archive); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' $$file); do \
			echo "$$file $$target"; \
			DOCBATCH_CORPUS=$(abspath $(CORPUS)) $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./$$(dirname $$file) || failed=1; \
		done; \
	done; exit $$failed

.PHONY: bench-extract
bench-extract: ## documents a second of docbatch run, and on PDFs of a loop over pdftotext, side by side
	$(GO) run ./cmd/corpus -throughput -dir $(CORPUS)

.PHONY: bench
bench: ## the whole program: speed as a share of a bare loop of HTTP calls, first call, second run, memory
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./cmd/docbatch

.PHONY: bench-parts
bench-parts: ## the benchmarks of each part
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./jobs/... ./pipeline/... ./sinks/... ./sources/...

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BINARY) dist $(OUT)
