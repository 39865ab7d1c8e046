# How this project is built and checked. `make` lists the targets.
#
# It needs Go, and a C compiler for the race detector; servers that are not installed are skipped, and named at the end.

GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# What is unused or deprecated is told by golangci-lint, which knows the exceptions and their reasons.
STATICCHECKS := inherit,-U1000,-SA1019
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0

# TIMEOUT bounds each package's tests.
TIMEOUT   ?= 20m
BENCH     ?= .
BENCHTIME ?= 1s
FUZZTIME  ?= 10s
# FOR is how long each torture suite goes on, SEED makes it repeat an earlier run, TOPOLOGY (single, sentinel, cluster) and
# DATABASE (sqlite, postgres) are what the random run runs on; empty: the suite's own choice.
FOR       ?=
SEED      ?=
TOPOLOGY  ?=
DATABASE  ?=
# RUN is a regexp of the tests that torture runs, with what they say while they run; empty: all, and only what fails.
RUN       ?=

# The root module comes first: what is wrong there is wrong everywhere.
MODULES := . $(filter-out .,$(sort $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path '*/testdata/*'))))
# The race detector needs cgo, which go itself turns off where there is no C compiler.
RACE    := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
# What the race detector does not watch, which halves the time of the tests: SQLite was translated from C and locks by itself,
# Lua has one state a call, and the model explores by itself and is in no program.
UNWATCHED := $(if $(RACE),$(foreach p,modernc.org/... github.com/yuin/gopher-lua/... github.com/cacheme/cacheme/internal/model,-gcflags=$(p)=-race=false))
SERVERS := redis-server postgres mariadbd
# Where they are besides PATH, as internal/integration/kit looks for them.
SERVERS_PATH := $(PATH):/usr/sbin:/usr/local/sbin:$(subst $() ,:,$(wildcard /usr/lib/postgresql/*/bin))

# in-each runs a command in every module, all of them even if one fails, and fails if one did.
define in-each
@failed=; for m in $(MODULES); do \
	echo "== $(1) ($$m)"; \
	(cd "$$m" && $(2)) || failed="$$failed $$m"; \
done; \
if [ -n "$$failed" ]; then echo "$(1) failed in:$$failed" >&2; exit 1; fi
endef

# in-integration runs a command in the module of the real servers, whose tests RUN names.
define in-integration
@cd internal/integration && $(2)
endef

.PHONY: help check test vet lint tools tidy fmt bench fuzz torture
.DEFAULT_GOAL := help

help: ## List the targets (at once).
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: lint test ## All that must be green before a change is proposed: lint and test.

test: vet ## Vet and race-test every module; says at the end what was not run (on two cores a quarter of an hour, and twice that with all servers and a browser).
	$(call in-each,go test,go test $(RACE) $(UNWATCHED) -p 3 -timeout $(TIMEOUT) ./...)
	@for s in $(SERVERS); do \
		(PATH='$(SERVERS_PATH)'; command -v $$s) >/dev/null || echo "not run: the tests against a real $$s; install $$s to run them"; \
	done
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		echo "not run: the tests in a browser; install chromium to run them"
	@command -v npm >/dev/null || echo "not run: the checks of accessibility, unless their checker was fetched before; install npm to run them"
	@[ -n "$(RACE)" ] || echo "not run: the race detector; install a C compiler to run it"

vet: ## gofmt and go vet in every module, with nothing to download but dependencies (1 minute).
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt: run make fmt for" $$unformatted >&2; exit 1; fi
	$(call in-each,go vet,go vet ./...)

lint: vet tidy ## vet, tidy, gofumpt, staticcheck and golangci-lint in pinned versions (5 minutes, 3 more for building them once).
	@unformatted=$$(go run $(GOFUMPT) -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "gofumpt: run make fmt for" $$unformatted >&2; exit 1; fi
	$(call in-each,staticcheck,go run $(STATICCHECK) -checks $(STATICCHECKS) ./...)
	$(call in-each,golangci-lint,go run $(GOLANGCI) run --config $(CURDIR)/.golangci.yml ./...)

tools: ## Build the linters in their pinned versions, which lint does by itself (3 minutes, once).
	@go run $(GOFUMPT) -version
	@go run $(STATICCHECK) -version
	@go run $(GOLANGCI) version

tidy: ## Fail unless every go.mod and go.sum is tidy (half a minute).
	$(call in-each,go mod tidy -diff,go mod tidy -diff)

fmt: ## Format everything as lint wants it (half a minute).
	@go run $(GOFUMPT) -l -w .

bench: ## Run the benchmarks, BENCH=regexp, each for BENCHTIME=1s or a count like 100x (10 minutes).
	$(call in-each,go test -bench,go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 1h ./...)

fuzz: ## Run each fuzz target for FUZZTIME=10s (a quarter of a minute each).
	@grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's|^(.*)/[^/]*:[0-9]+:func |\1 |' | sort -u | { \
	failed=; while read -r dir target; do \
		echo "== fuzz $$target ($$dir)"; \
		(cd "$$dir" && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) .) || failed="$$failed $$target"; \
	done; \
	if [ -n "$$failed" ]; then echo "fuzz failed:$$failed" >&2; exit 1; fi; }

torture: ## Run all suites at their longest, each FOR=10m, repeatable by SEED=n (an hour or more); RUN=TestTorture the random run alone.
	$(call $(if $(RUN),in-integration,in-each),torture,TORTURE=1 FOR='$(FOR)' SEED='$(SEED)' TOPOLOGY='$(TOPOLOGY)' DATABASE='$(DATABASE)' \
		go test $(RACE) $(UNWATCHED) -count 1 -p 1 -timeout 24h $(if $(RUN),-run '$(RUN)' -v .,./...))
