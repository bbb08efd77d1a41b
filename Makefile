# `make help` lists the targets. Everything works on a machine that has only some Python 3 and make:
# deploy/dev/python-env.sh finds a fitting interpreter and installs the locked packages into .venv.

.DEFAULT_GOAL := help
.PHONY: help run dev test test-agents test-deps lint format lock schema bench mutants chaos fuzz schema-fuzz screenshots audit-deps docs keycloak-client local-worker-restart clean

ENV := deploy/dev/python-env.sh
PY := .venv/bin/python
PYTEST_ARGS ?= -n 2
# Whatever the environment says, our code is compiled once, not by each of the many processes that begin with it.
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Install what is needed and start everything: database, web, jobs, a local worker (ARGS="--port 8001")
	@$(ENV) sync base
	@$(PY) -m codetether.cli up $(ARGS)

dev: ## The same for developers: debug pages, and the web server reloads when the code changes
	@$(ENV) sync base test lint
	@CODETETHER_DEBUG=true $(PY) -m codetether.cli up --reload $(ARGS)

test: ## Check style and types, then run all tests on real PostgreSQL and Valkey
	@$(ENV) sync base test lint
	@$(MAKE) --no-print-directory -j 2 test-deps lint
	@$(PY) -m pytest -m "not minutes" $(PYTEST_ARGS)

test-agents: test-deps ## Only the tests that drive the real agent programs, or last for minutes, one after the other
	@$(PY) -m pytest -n 0 -m "agents or opencode or minutes" $(ARGS)

test-deps:
	@$(ENV) sync base test lint
	@$(ENV) test-programs

lint: ## Check style, types and who imports whom
	@$(ENV) sync base test lint
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

format: ## Format the code and fix what can be fixed by itself
	@$(ENV) sync base test lint
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

lock: ## Compile requirements/*.in to the hashed requirements/*.txt (ARGS="--upgrade")
	@$(ENV) lock $(ARGS)

schema: ## Write anew what empty databases are filled from, once there are new migrations
	@$(ENV) sync base test lint
	@$(PY) -m tests.kept_schema $(ARGS)

bench: ## Measure speed, latency and memory beside a reference in the same run
	@$(ENV) sync base test lint
	@$(PY) -m tests.bench $(ARGS)

mutants: ## Plant faults in a copy of the product and see the tests turn red (ARGS="--only no-fence")
	@$(ENV) sync base test lint
	@$(PY) -m tests.mutants $(ARGS)

chaos: ## Kill, freeze and restart everything at random under load, then check (ARGS="--short", "--seed 7")
	@$(ENV) sync base test lint
	@$(PY) -m tests.chaos $(ARGS)

fuzz: ## Send bad requests by all bindings of A2A to real processes (ARGS="--cases 3000", "--seed 7")
	@$(ENV) sync base test lint
	@$(PY) -m tests.fuzz $(ARGS)

schema-fuzz: ## Make many calls of the whole OpenAPI description, as every role (CASES=100)
	@$(ENV) sync base test lint
	@CODETETHER_FUZZ_CASES=$(or $(CASES),30) $(PY) -m pytest -n 0 tests/api/test_schema.py tests/api/test_inputs_fuzz.py $(ARGS)

screenshots: ## Take pictures of the console's pages into build/screenshots and docs/assets (ARGS="--only task")
	@$(ENV) sync base test lint
	@$(PY) -m tests.screenshots $(ARGS)

audit-deps: ## Look up known holes in what the locks name; needs PyPI's JSON API, and fails where that says nothing
	@$(ENV) sync base test lint
	@for lock in base worker test lint a2a-0-3; do \
	  $(PY) -m pip_audit --strict --disable-pip --no-deps --require-hashes -s pypi -r requirements/$$lock.txt $(ARGS) || exit 1; \
	done

docs: ## Build the documentation into site/
	@$(ENV) sync base test lint
	@.venv/bin/zensical build

keycloak-client: ## Prepare this installation's client in Keycloak (docs/operations/sign-on.md)
	@$(ENV) sync base
	@DJANGO_SETTINGS_MODULE=codetether.settings.offline $(PY) manage.py keycloak_client $(ARGS)

local-worker-restart: ## Restart the local agent worker of a running `make run`
	@$(PY) -m codetether.cli restart-worker

clean: ## Remove environments, caches and builds; the data folder .codetether stays
	rm -rf .venv .venv-uv .venv-a2a-0-3 tests/clients/js/*/node_modules build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
