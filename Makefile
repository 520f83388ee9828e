# Everything that is done to this project, by name. `make` alone lists it.
# Needs Go and make; every other tool is a pinned Go module (tools.mod).

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
PREFIX  ?= /usr/local

GO      ?= go
TOOL    := $(GO) tool -modfile=tools.mod
LDFLAGS := -s -w -X main.version=$(VERSION)
# The version is stamped by us, so Go need not ask git a second time. The tag
# leaves out a manual page generator of the flag library that we do not call.
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -tags urfave_cli_no_docs -ldflags '$(LDFLAGS)$(ENTRY_$(1))'
# On Linux the program begins at a function of its own: what it notes and sets there the
# Go runtime takes over before anything else of ours runs.
ENTRY_linux := $() -E github.com/ocr-run/ocr-run/supervisor/internal/entry.entry
HOST    := $(shell $(GO) env GOOS)

SYSTEMS := linux darwin
TARGETS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64

# The race detector needs a C compiler that can link; asked only when used.
RACE     = $(shell CGO_ENABLED=1 $(GO) build -race -o /dev/null runtime/cgo 2>/dev/null && echo -race)
TESTWAIT ?= 15m
# Tests send and await hang-ups and interrupts; who was started ignoring them, as by
# nohup, passes that on, and only some systems can take it back here.
HEEDING  = $(shell env --default-signal=HUP,INT true 2>/dev/null && echo env --default-signal=HUP,INT)
FUZZTIME ?= 30s
# Children of the flow that `make flows` cancels.
CHILDREN ?= 500
# COPY makes a program of a file, in pieces of 256 KB: a program is mapped in the pieces
# that its file was written in, and starts 15 % sooner than from the pages that the linker
# writes.
COPY     = { dd if=$(1) of=$(2).copy bs=262144 2>/dev/null || cp $(1) $(2).copy; } && chmod 755 $(2).copy && mv $(2).copy $(2)

# More arguments for the programs behind `make bench`, `make matrix`, `make drill`
# and `make diagnose`.
ARGS    ?=

.DEFAULT_GOAL := help
.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ build

.PHONY: build
build: ## build bin/ocr-run, static and without symbols
	@mkdir -p bin
	$(call BUILD,$(HOST)) -o bin/ocr-run.linked ./cmd/ocr-run
	@$(call COPY,bin/ocr-run.linked,bin/ocr-run)
	@rm bin/ocr-run.linked

.PHONY: install
install: build ## install command and manual page under $(PREFIX) (PREFIX=/usr/local)
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/man/man1'
	bin/ocr-run help --man >bin/ocr-run.1
	@$(call COPY,bin/ocr-run,'$(DESTDIR)$(PREFIX)/bin/ocr-run')
	install -m 644 bin/ocr-run.1 '$(DESTDIR)$(PREFIX)/share/man/man1/ocr-run.1'

.PHONY: cross
cross: ## build for every supported system, into bin/
	@mkdir -p bin
	@set -e; $(foreach t,$(TARGETS),echo 'build $(t)'; \
		GOOS=$(patsubst %/,%,$(dir $(t))) GOARCH=$(notdir $(t)) $(call BUILD,$(patsubst %/,%,$(dir $(t)))) \
		-o bin/ocr-run-$(subst /,-,$(t)) ./cmd/ocr-run;)

.PHONY: clean
clean: ## remove what the targets above wrote
	rm -rf bin

##@ test

# Never from the cache: these tests look at processes, terminals and clocks,
# which the cache cannot see change.
.PHONY: test
test: ## run all tests, with the race detector where a C compiler is present
	@set -e; race='$(RACE)'; \
	if [ -z "$$race" ]; then echo 'note: no working C compiler, so no race detector'; fi; \
	$(HEEDING) $(GO) test -count=1 -timeout $(TESTWAIT) $$race ./...

.PHONY: race
race: ## run all tests with the race detector or fail
	CGO_ENABLED=1 $(HEEDING) $(GO) test -count=1 -timeout $(TESTWAIT) -race ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@set -e; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for f in $$(cat "$$dir"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do \
			echo "$$dir $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$dir"; \
		done; \
	done

# The crowd of the tests is small; this one is of 500.
.PHONY: flows
flows: ## cancel a crowd of CHILDREN (500), and live through many random lives of flows
	OCR_RUN_FLOW_CHILDREN=$(CHILDREN) $(GO) test -count=1 -timeout $(TESTWAIT) -run TestACrowdOfChildren -v ./cmd/ocr-run
	OCR_RUN_FLOW_LIVES=1000 OCR_RUN_KILL_ROUNDS=100 $(GO) test -count=1 -timeout $(TESTWAIT) -run 'TestFlowsDo|TestKilledProcesses' -v ./store -rapid.checks=1000

.PHONY: cover
cover: ## measure test coverage, into bin/cover.html
	@mkdir -p bin
	$(GO) test -count=1 -timeout $(TESTWAIT) -coverpkg=./... -coverprofile=bin/cover.out ./...
	$(GO) tool cover -html=bin/cover.out -o bin/cover.html
	$(GO) tool cover -func=bin/cover.out | tail -1

.PHONY: bench
bench: build ## measure against the bare command and its peers
	$(GO) run ./scripts/bench -ocr-run '$(CURDIR)/bin/ocr-run' $(ARGS)

.PHONY: matrix
matrix: build ## run the behaviour matrix against bare, script, sudo and ocr-run
	$(GO) run ./scripts/matrix -w bare -w script -w sudo -w 'ocr-run=$(CURDIR)/bin/ocr-run' $(ARGS)

.PHONY: drill
drill: build ## leave everything behind in 200 runs, sweep once, and count
	$(GO) run ./scripts/drill -recycle -ocr-run '$(CURDIR)/bin/ocr-run' $(ARGS)

.PHONY: diagnose
diagnose: build ## measure outcomes and causes with real agents that fail (needs npm)
	$(GO) run ./scripts/diagnose -ocr-run '$(CURDIR)/bin/ocr-run' $(ARGS)

##@ check

.PHONY: fmt
fmt: ## format all Go files
	$(TOOL) golangci-lint fmt ./...

.PHONY: lint
lint: ## run the linters
	$(TOOL) golangci-lint config verify
	$(TOOL) golangci-lint run ./...

.PHONY: verify
verify: verify-mod verify-words verify-fmt verify-vet lint verify-fix cross ## check everything but the tests; changes nothing

.PHONY: verify-mod verify-words verify-fmt verify-vet verify-fix
verify-mod:
	$(GO) mod tidy -diff

verify-words:
	sh scripts/check-words.sh

verify-fmt:
	@echo 'gofumpt'; list=$$($(TOOL) gofumpt -extra=group_params,clothe_returns -l .); \
	if [ -n "$$list" ]; then echo "not formatted, run 'make fmt':"; echo "$$list"; exit 1; fi

verify-vet:
	@set -e; for os in $(SYSTEMS); do echo "go vet for $$os"; GOOS=$$os CGO_ENABLED=0 $(GO) vet ./...; done

verify-fix:
	@set -e; for os in $(SYSTEMS); do echo "go fix for $$os"; GOOS=$$os CGO_ENABLED=0 $(GO) fix -diff ./...; done
