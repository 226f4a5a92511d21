# Every target makes the environment that it needs; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt
# An extra package index for torch's CPU build, e.g. https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
OUT    ?= .

# The pip that comes with Python 3.11 takes a third longer for what follows.
$(VENV)/.core: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) pip
	$(PIP) -e .
	@touch $@

# Compiling all of torch and its like was 2/3 of the installation: the first import compiles what it
# needs, and keeps it, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
$(VENV)/.dev: $(VENV)/.core
	$(PIP) --no-compile $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -e '.[dev,train]'
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	$(PIP) --no-compile -e '.[docs]'
	@touch $@

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

.PHONY: space-audit-fast
space-audit-fast: $(VENV)/.core ## audit this repository: S1, S3, S4, S6
	@$(BIN)/codex-audit run . --fast --out $(OUT)

.PHONY: space-audit
space-audit: $(VENV)/.core ## audit this repository: all six stages
	@$(BIN)/codex-audit run . --out $(OUT)

.PHONY: space-explain
space-explain: $(VENV)/.core ## why a capability or practice scores what it does: cap=NAME
	@$(BIN)/codex-audit explain $(if $(cap),$(cap),$(error say which: make space-explain cap=checkpointing))

.PHONY: space-history
space-history: $(VENV)/.core ## scores over the last commits, and what changed them: last=N
	@$(BIN)/codex-audit history . --last $(or $(last),20)

.PHONY: space-diff
space-diff: $(VENV)/.core ## what moved between two revisions or matrices: old=REV new=REV
	@$(BIN)/codex-audit diff $(if $(old),$(old),$(error say which: make space-diff old=HEAD~1 new=HEAD)) $(if $(new),$(new),HEAD)

.PHONY: space-gate
space-gate: $(VENV)/.core ## hold this repository to its own bars and to the revision before: base=REV
	@$(BIN)/codex-audit gate . $(addprefix --base ,$(or $(base),$(shell git rev-parse -q --verify HEAD~1 2>/dev/null)))

.PHONY: space-clean
space-clean: ## remove what the audit wrote
	rm -rf $(OUT)/audit_artifacts $(OUT)/reports $(OUT)/manifest.json $(OUT)/manifest.intoto.json

.PHONY: test
test: $(VENV)/.dev $(VENV)/.docs ## run the test suite
	$(BIN)/python -m pytest -n 2

# What `make validate` runs, so that `make check` runs nothing twice.
MATRIX       := docs/validation/Validation_Matrix.md
HOW_TO       := build-a-wheel follow-scores gate-a-build normalise-pyproject publish-reports \
                resume-a-run sign-a-report validate-docs write-a-plugin write-a-practice write-practices
CONTRACTS    := Distributed_Minimal_Hooks Evaluation_CLI Training_CLI
PAGES        := docs/index.md docs/tutorials/*.md $(HOW_TO:%=docs/how-to/%.md) \
                $(CONTRACTS:%=docs/training/%.md) docs/developer/Plugin_Registry_CLI.md
MATRIX_TESTS := $(shell sed -nE 's/.*`pytest (tests[^ ]*) .*/\1/p' $(MATRIX))

.PHONY: validate
validate: $(VENV)/.dev ## run the validation matrix and the pages that are executed
	$(BIN)/codex-audit validate $(MATRIX) --execute --jobs 2 --timeout 900
	OMP_NUM_THREADS=1 $(BIN)/codex-audit validate $(PAGES) --execute --sandbox --jobs 2

.PHONY: test-rest
test-rest: $(VENV)/.dev $(VENV)/.docs ## run the tests that no row of the validation matrix runs
	$(BIN)/python -m pytest -n 2 $(addprefix --ignore=,$(MATRIX_TESTS))

.PHONY: format
format: $(VENV)/.dev ## format the code and fix what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lint
lint: $(VENV)/.dev ## formatter check, linter, types, layers, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

.PHONY: wheel
wheel: $(VENV)/.dev ## build, check and prove the distributions in dist/
	$(BIN)/python tools/build_wheel.py

.PHONY: check-install
check-install: wheel ## install the wheel alone and with each extra into empty environments
	$(BIN)/python tools/check_install.py dist/*.whl
	$(BIN)/python tools/check_install.py dist/*.whl --lowest

.PHONY: check
check: $(VENV)/.dev $(VENV)/.docs ## what CI runs
	$(MAKE) -j2 --output-sync=target docs-check docs
	$(MAKE) -j2 --output-sync=target lint test-rest
	$(MAKE) validate space-gate

.PHONY: docs-check
docs-check: $(VENV)/.core ## hold the documentation against the repository
	@$(BIN)/codex-audit docs .

.PHONY: docs
docs: $(VENV)/.docs ## build the documentation site, with Zensical and with MkDocs
	$(BIN)/python tools/reference.py --check
	$(BIN)/python tools/capability_matrix.py --check
	$(BIN)/zensical build --clean --strict
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: docs-serve
docs-serve: $(VENV)/.docs ## serve the documentation on 127.0.0.1:8000
	$(BIN)/mkdocs serve

.PHONY: bench
bench: $(VENV)/.dev ## measure speed against peers, as ratios
	$(BIN)/python benchmarks/audit.py .

.PHONY: reference
reference: $(VENV)/.docs ## write the generated pages and schemas
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/capability_matrix.py
