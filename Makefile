# `make demo` and `make test` are all a newcomer needs: each sets up .venv first.

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
UV     := $(shell command -v uv 2>/dev/null)
# The newest Python that is installed and supported; `make PYTHON=… setup` chooses another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup demo test check coverage campaign bench bench-full kubo lock protos clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## install into .venv (uv where present, else venv and pip)

ifdef UV
$(STAMP): pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --all-extras
	@touch $@
else
# The lock is whole, so nothing is resolved: an older pip would take a newer release of a package
# that is wanted with an extra, and then refuse it for want of a hash. `pip check` sees that it is.
$(STAMP): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found" >&2; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON); this takes a minute the first time"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@$(BIN)/python -m pip --disable-pip-version-check check >/dev/null || { \
		echo "requirements.lock lacks something that is needed here: see pip check" >&2; exit 1; }
	@touch $@
endif

demo: $(STAMP) ## both sites on this machine, from a sealed document to a verdict
	@$(BIN)/crossvault demo

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

check: $(STAMP) ## style, types, layers, protos, locks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint protos

coverage: $(STAMP) ## branch coverage of proofs and vault/crypto, at least 95 %
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --cov --cov-report=term-missing:skip-covered --cov-fail-under=95

campaign: $(STAMP) ## long mutation and fuzz runs
	$(BIN)/python -m benchmarks.campaign

bench: $(STAMP) ## the figures, as ratios to one G1 multiplication, in under 45 seconds
	@$(BIN)/python -m benchmarks.bench

bench-full: $(STAMP) ## the same with the longer tables
	@$(BIN)/python -m benchmarks.bench --full

kubo: ## build the pinned Kubo daemon into .build/kubo (needs Go)
	@bash deploy/kubo/build.sh

lock: ## renew uv.lock and requirements.lock
	$(UV) lock
	$(UV) export --quiet --frozen --all-extras --no-emit-project --output-file requirements.lock

protos: $(STAMP) ## regenerate vault/v1 from protos/
	$(BIN)/python -m grpc_tools.protoc -I protos --python_out=. --pyi_out=. --grpc_python_out=. protos/vault/v1/*.proto

clean: ## remove what was built and installed
	rm -rf $(VENV) .build .mypy_cache .pytest_cache .ruff_cache .hypothesis
