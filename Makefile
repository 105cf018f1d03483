# From a bare Python to a running Hookspan. `make help` lists what there is.
#
# Everything lives in .venv: uv is brought in by pip, the dependencies by uv, each pinned with its hash. Stamp files in
# .venv make a second run immediate and a changed lock file take effect. `demo` installs what Hookspan runs on;
# `test` and `check` add what it is developed with. Both lock files agree on every version, so they share one .venv.

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2

# uv trusts its own list of authorities. Where the system has one, that is used: it knows a company's proxy too.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS ?= 1
endif

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
EDITABLE := $(INSTALL) --no-deps --no-build-isolation --editable .
SYNC := $(UV) pip sync --quiet --python $(BIN)/python --require-hashes
COMPILE := $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check format docs examples screenshots bench soak lock clean

help: ## show this list
	@echo "Hookspan sends webhooks. From a bare Python 3.11 or newer:"
	@echo
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1@\2/' | awk -F@ '{printf "%-14s %s\n", $$1, $$2}'
	@echo
	@echo "  ARGS=…         passed on, e.g. make demo ARGS=--once, make test ARGS='-k settings'"
	@echo "  PYTHON=…       another interpreter, e.g. make demo PYTHON=python3.13"

demo: $(VENV)/.ready-run ## start Hookspan with a sample receiver and watch events arrive (ARGS=--once ends by itself)
	@$(BIN)/hookspan demo $(ARGS)

test: $(VENV)/.ready-dev ## run the whole test suite
	@$(BIN)/python -m pytest -n $(WORKERS) -m 'not soak and not alone' $(ARGS) || [ $$? = 5 ] # 5: none was chosen
	@$(BIN)/python -m pytest -n 0 -m 'alone and not soak' $(ARGS) || [ $$? = 5 ]

check: $(VENV)/.ready-dev ## lint, format, types, layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.ready-dev ## mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

docs: $(VENV)/.ready-run ## write what is made from the code: docs/openapi.json
	@$(BIN)/python -m hookspan.api >docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

examples: $(VENV)/.ready-dev ## ask a node for the examples of the API's document anew
	@$(BIN)/python -m tests.support.record_examples
	@$(MAKE) --no-print-directory docs

screenshots: $(VENV)/.ready-dev ## take the pictures of the pages anew (ARGS=folder: every page, into it; needs Chromium)
	@$(BIN)/python -m tests.journey.browser.screenshots $(ARGS)

bench: $(VENV)/.ready-run ## measure Hookspan on this machine (needs wrk and nginx)
	@$(BIN)/python -m bench $(ARGS)

soak: $(VENV)/.ready-dev ## the long runs: crashes, toggles and outages by the thousand
	@HOOKSPAN_SOAK=1 HOOKSPAN_TEST_KILLS=1000 HOOKSPAN_TEST_TERMS=50 HOOKSPAN_TEST_NODE_KILLS=200 \
	  HOOKSPAN_TEST_DATABASE_AWAY_S=60 HOOKSPAN_TEST_DOUBTS=70 HOOKSPAN_TEST_TOGGLES=2000 \
	  $(BIN)/python -m pytest -m 'soak or not soak' tests/contract tests/simulation tests/unit/store \
	  tests/journey/test_crashes.py tests/journey/test_many_nodes.py $(ARGS)

lock: $(UV) ## choose newer versions of all dependencies and pin them
	@$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.lock
	@$(COMPILE) pyproject.toml --constraint requirements-dev.lock --output-file requirements.lock
	@printf 'hatchling\neditables\n' | $(COMPILE) - --constraint requirements-dev.lock --output-file requirements-build.lock
	@printf 'uv\n' | $(COMPILE) - --constraint requirements-dev.lock --output-file requirements-uv.lock

clean: ## remove .venv and caches, not your data
	@rm -rf $(VENV) .ruff_cache .mypy_cache .pytest_cache .hypothesis .import_linter_cache dist

# --- set-up ---------------------------------------------------------------------------------------------------------

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Hookspan needs Python 3.11 or newer, and there is no '$(PYTHON)' here."; \
	  echo "Install it: apt install python3 python3-venv | dnf install python3 | brew install python"; \
	  echo "or name another one: make PYTHON=/path/to/python3 …"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Hookspan needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)."; \
	  echo "Name a newer one: make PYTHON=python3.13 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "This Python can't make virtual environments: its 'venv' module is a package of its own here."; \
	  echo "Install it: apt install python3-venv (or python3.11-venv, the version of your Python), then try again."; exit 1; }
	@echo "· making $(VENV) with $$($(PYTHON) -V 2>&1)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(UV): $(VENV)/pyvenv.cfg requirements-uv.lock
	@echo "· bringing uv into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $(UV)

$(VENV)/.ready-run: $(UV) requirements.lock requirements-build.lock pyproject.toml
	@echo "· installing what Hookspan runs on"
	@$(INSTALL) --require-hashes -r requirements.lock -r requirements-build.lock
	@$(EDITABLE)
	@touch $@

$(VENV)/.ready-dev: $(UV) requirements-dev.lock requirements-build.lock pyproject.toml
	@echo "· installing what Hookspan is developed with"
	@$(SYNC) requirements-dev.lock requirements-build.lock
	@$(EDITABLE)
	@touch $@ $(VENV)/.ready-run
