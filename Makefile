# Every target prints the plain command that it runs; set-up happens by itself and is quick when nothing changed.
BIN := .venv/bin
HERALD := $(BIN)/herald
STAMP := .venv/.setup-done
AUDIT := .cache/audit
LOCKFLAGS := --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock' -q
ARGS ?=
export HERALD_SETUP_BEGAN := $(shell date +%s)
# Kept whatever the environment says: without it each of the many processes compiles all of Herald anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo up test test-all lint style event-loop corpora peers attack fuzz walk fault fault-mutations chaos restore-rehearsal bench audit sbom pictures wheels kubernetes lock clean

setup: $(STAMP)

$(STAMP): requirements.lock requirements-bootstrap.lock pyproject.toml contracts/pyproject.toml tools/setup.sh
	sh tools/setup.sh

demo: setup
	$(HERALD) demo $(if $(DEMO_EXIT),--exit) $(ARGS)

up: setup
	$(HERALD) up $(ARGS)

lint: style
	$(BIN)/mypy

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# mypy runs beside the tests, which leave it a part of the second core; what it finds is shown last.
test: style
	$(HERALD) contracts check
	$(BIN)/python -m herald.local.fetch
	$(BIN)/python -m tests.browser
	@mkdir -p .cache
	$(BIN)/mypy >.cache/mypy.txt 2>&1 & types=$$!; \
	$(BIN)/pytest -n auto --maxprocesses 8 --dist loadgroup $(ARGS); tests=$$?; \
	wait $$types; types=$$?; cat .cache/mypy.txt; exit $$((tests | types))

# Every long form: about an hour on two quiet cores.
test-all: test event-loop corpora peers attack fuzz walk fault fault-mutations restore-rehearsal

# Alone on the machine: what an event loop is held up for, in CPU time.
event-loop: setup
	$(BIN)/python -m herald.local.fetch
	HERALD_EVENT_LOOP=alone $(BIN)/pytest tests/integration -k test_event_loop $(ARGS)

corpora: setup
	$(BIN)/python -m tests.corpora $(ARGS)

peers: setup
	$(BIN)/python -m herald.local.fetch
	$(BIN)/python -m tests.peers $(ARGS)

attack: setup
	$(BIN)/python -m herald.local.fetch
	HERALD_SLOW_CLIENTS=all $(BIN)/pytest tests/integration/test_slow_clients.py
	$(BIN)/python -m tests.attack $(ARGS)

# Generated requests, orders and values, many of each, and every worst value by itself.
fuzz: setup
	$(BIN)/python -m herald.local.fetch
	HERALD_FUZZ=$(or $(FUZZ),50) HERALD_STORED_VALUES=each $(BIN)/pytest -n auto --dist loadgroup \
		$$(grep -rlE --include='*.py' 'tests\.fuzz|HERALD_STORED_VALUES' tests/integration tests/e2e | sort) $(ARGS)

walk: setup
	$(BIN)/python -m herald.local.fetch
	$(BIN)/python -m tests.walk $(ARGS)

fault: setup
	$(BIN)/python -m herald.local.fetch
	$(BIN)/python -m tests.fault all $(if $(SEED),--seed $(SEED)) $(ARGS)

fault-mutations: setup
	$(BIN)/python -m herald.local.fetch
	$(BIN)/python -m tests.fault.mutations all $(if $(SEED),--seed $(SEED)) $(ARGS)

chaos: setup
	$(BIN)/python -m herald.local.fetch
	$(BIN)/python -m tests.fault chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

# Databases and Kafka lost and healed, on real servers: about ten minutes, and what docs/operations/continuity.md says.
restore-rehearsal: setup
	$(BIN)/python -m herald.local.fetch
	$(BIN)/python -m tests.restore $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: setup
	$(HERALD) bench $(ARGS)

# Asks PyPI for advisories on each pinned package, which not every machine may: no part of lint. Fails if it cannot ask.
audit: $(AUDIT)/.done
	$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock $(ARGS)

# On the cluster that KUBECONFIG names: tests/kubernetes/README.md.
kubernetes: setup
	HERALD_KUBERNETES=1 $(BIN)/pytest tests/kubernetes $(ARGS)

# Whether every package of every image has a wheel for arm64; asks the package index, and installs nothing.
wheels: setup
	sh tools/wheels.sh

# What Herald is made of, as CycloneDX: herald.cdx.json.
sbom: $(AUDIT)/.done
	PYTHONWARNINGS=ignore $(AUDIT)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o herald.cdx.json requirements.lock

$(AUDIT)/.done: requirements-audit.lock | setup
	$(BIN)/python -m venv --clear $(AUDIT)
	UV_PYTHON=$(AUDIT)/bin/python sh tools/uv.sh pip install -q --require-hashes -r requirements-audit.lock
	touch $@

# Of the demo that runs here: `make demo` in another window.
pictures: setup
	$(BIN)/python -m tests.e2e.pictures $(ARGS)

lock: setup
	sh tools/uv.sh pip compile $(LOCKFLAGS) requirements-bootstrap.in -o requirements-bootstrap.lock
	sh tools/uv.sh pip compile $(LOCKFLAGS) requirements-audit.in -o requirements-audit.lock
	sh tools/uv.sh pip compile $(LOCKFLAGS) --all-extras --group dev --no-emit-package herald-contracts pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
