# Everything here works from a fresh clone; `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh

TARGET ?= spark-4.1-gpu
SCENARIOS ?= all
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what is needed: system programs (Debian, root) and .venv
	@scripts/setup

.PHONY: build
build: setup ## Build and test TARGET (default spark-4.1-gpu), pin it into the charts
	@$(BIN)/buildgraph engine up >/dev/null
	@$(BIN)/buildgraph build --target $(TARGET)
	@$(BIN)/buildgraph pin
	@scripts/next-steps $(TARGET)

.PHONY: demo
demo: setup ## Build, test and pin Spark 4.1, install its chart on a node, and ask it something
	@scripts/demo

.PHONY: test
test: setup ## Pass all tests: five images of both lines of Spark really built, Connect on a real node
	@$(MAKE) --no-print-directory tests IMAGES=some

.PHONY: test-all
test-all: setup ## The same with every image that can be built
	@$(MAKE) --no-print-directory tests IMAGES=all

.PHONY: tests
tests:
	@$(BIN)/buildgraph engine up >/dev/null
	@$(MAKE) --no-print-directory lint type arch
	$(PYTEST) tests --numprocesses 2 --dist loadfile --no-loadscope-reorder \
	  --ignore tests/e2e --ignore tests/cluster
	$(PYTEST) tests/e2e --timeout 4800 --images $(IMAGES)
	@scripts/test-cluster connect

.PHONY: check
check: lint type arch unit ## Everything that needs no engine and no Helm: what to run before each commit

.PHONY: lint
lint: setup ## Style: ruff, shellcheck
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/shellcheck scripts/demo scripts/next-steps scripts/setup scripts/test-cluster .ci/run $$(find layers -name '*.sh')

.PHONY: fmt
fmt: setup ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: type
type: setup ## Types: mypy strict, tests too
	@$(BIN)/mypy

.PHONY: arch
arch: setup ## Imports point one way
	@$(BIN)/lint-imports --no-cache

.PHONY: unit
unit: setup ## Unit, property, contract and documentation tests that need no engine
	$(PYTEST) tests/unit tests/property tests/contract tests/docs tests/charts/gates -m "not engine" --numprocesses 2 --quiet

.PHONY: e2e
e2e: setup ## The real build and what must hold of it; needs an engine
	@$(BIN)/buildgraph engine up >/dev/null
	$(PYTEST) tests/e2e --timeout 2400

.PHONY: repro
repro: setup ## Build everything twice in empty stores on differing machines; compare all digests
	@$(BIN)/buildgraph engine up >/dev/null
	$(PYTEST) tests/e2e/repro --timeout 7200 --images all

.PHONY: test-cluster
test-cluster: setup ## Build what the scenarios need, and pass them on a Kubernetes node (SCENARIOS=connect: a short run)
	@scripts/test-cluster $(SCENARIOS)

.PHONY: cluster-up
cluster-up: setup ## Use the cluster of KUBECONFIG, or bring up a Kubernetes node (8 minutes once, then seconds)
	@$(BIN)/buildgraph cluster up

.PHONY: cluster-down
cluster-down: setup ## End the node that cluster-up started; put the machine back as it was
	@$(BIN)/buildgraph cluster down

.PHONY: cluster-status
cluster-status: setup ## Say which cluster answers
	@$(BIN)/buildgraph cluster status

.PHONY: mutants
mutants: setup ## Take every guard away, one at a time: the tests must miss each (some twenty minutes)
	$(BIN)/python -m tests.mutation

.PHONY: screenshots
screenshots: setup ## Write docs/images/*.png from a real cold build (TARGET=...); needs chromium
	@$(BIN)/buildgraph engine up >/dev/null
	@$(BIN)/python scripts/screenshots

.PHONY: figures
figures: setup ## What the tool survives, counted: a table of figures with their targets
	@$(BIN)/python -m tests.figures

.PHONY: relock
relock: ## Write requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --group dev pyproject.toml --python-version 3.11 --universal --generate-hashes \
	  --no-header --no-annotate --output-file requirements.lock

.PHONY: clean
clean: ## Remove .venv and tool caches; the store and the engine stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
