# Everything one does with this checkout. `make` alone lists the targets.
# Works with any make (GNU 3.81 too) and any Python from 3.11 on; PYTHON=... names another one.

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup
# A stamp holds the path it was made for, so that a copied or moved checkout sets itself up anew.
READY := $(VENV)/ready
READY_DEV := $(VENV)/ready-dev

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(READY) ## make .venv with croupier in it; nothing to do when it is up to date
	@echo "$(BIN)/croupier is ready"

.PHONY: demo
demo: $(READY) ## play every kind of round against a sandbox casino and studio on this machine
	@$(BIN)/croupier demo $(ARGS)

.PHONY: setup-dev
setup-dev: $(READY_DEV) ## the same as `make setup`, and what checks and tests need

.PHONY: test
test: $(READY_DEV) ## all tests but the slow tier
	$(PYTEST) -m "not slow" $(ARGS)

.PHONY: test-slow
test-slow: $(READY_DEV) ## the slow tier: default waits, long runs
	$(PYTEST) -m slow $(ARGS)

NPM_FETCH := npm ci --no-audit --no-fund --ignore-scripts
.PHONY: test-clients
test-clients: $(READY_DEV) ## official clients of the live feed against it; needs Node 18 and, for a browser, Chromium (Debian: nodejs npm chromium)
	cd tests/feed/clients && $(NPM_FETCH)
	$(BIN)/python -m pytest tests/feed/clients $(ARGS)

.PHONY: browser
browser: $(READY_DEV) ## the frame and the games in a real browser; needs Chromium (Debian: chromium), and npm for axe-core and TypeScript
	cd tests/browser/axe && $(NPM_FETCH)
	cd tests/webframe/types && $(NPM_FETCH)
	$(BIN)/python -m pytest tests/browser tests/webframe/test_types.py $(ARGS)

.PHONY: fuzz
fuzz: $(READY_DEV) ## a million hostile inputs for every reader, some minutes; the figures go to docs/proof
	$(BIN)/python -m tests.fuzz.run --inputs 1000000 --proof docs/proof $(ARGS)

SEED :=
.PHONY: simulate
simulate: $(READY_DEV) ## a million simulated payments, an hour or two; leaves docs/proof/simulation.*; ARGS=--resume goes on
	$(BIN)/python tools/prove_simulation.py $(ARGS)

.PHONY: chaos
chaos: $(READY_DEV) ## kill real processes at every named point in every operation; leaves docs/proof/chaos.*
	$(BIN)/python -m tests.chaos all $(if $(SEED),--seed $(SEED)) --proof docs/proof $(ARGS)

.PHONY: chaos-smoke
chaos-smoke: $(READY_DEV) ## a minute of it: a storm over real processes; SEED=N repeats one
	$(BIN)/python -m tests.chaos smoke $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: plants
plants: $(READY_DEV) ## put each planted money bug in and see who notices; writes docs/proof/plants.md
	PYTHONPATH=src:. $(BIN)/python -m tests.plants.run $(ARGS)

.PHONY: mutants
mutants: $(READY_DEV) ## change the core a thousand times and see that its tests notice; writes docs/proof/mutants.md
	PYTHONPATH=src:. $(BIN)/python -m tests.mutants.run $(ARGS)

USUAL := .venv-usual
.PHONY: bench
bench: $(READY_DEV) $(USUAL)/ready ## every figure of docs/bench/bets.md, in four minutes; the machine should do nothing else
	PYTHONPATH=src:. $(BIN)/python -m bench.bets --usual $(USUAL)/bin/python $(ARGS)

.PHONY: bench-check
bench-check: $(READY_DEV) ## compare what a bet counts with the committed figures; half a minute; fails at +25 %
	$(BIN)/python -m pytest tests/flows/test_counts.py -m "not slow" -q
	PYTHONPATH=src:. $(BIN)/python -m bench.check $(ARGS)

.PHONY: bench-usual
bench-usual: $(USUAL)/ready ## make .venv-usual with what the usual stack of the benchmark needs

.PHONY: check
check: $(READY_DEV) ## format, lint, types, layers: in the order of cost
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini --cache-dir .mypy_cache/tests tests tools

.PHONY: format
format: $(READY_DEV) ## put the code in its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: states
states: $(READY_DEV) ## draw docs/states from the tables in the code
	$(BIN)/python tools/draw_states.py

LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --only-binary :all: --custom-compile-command "make lock"
.PHONY: lock
lock: ## renew requirements.txt and requirements-dev.txt (needs uv)
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) --constraint requirements.txt requirements-dev.in --output-file requirements-dev.txt

.PHONY: clean
clean: ## remove what was made here, but never .croupier, which holds money
	rm -rf $(VENV) $(USUAL) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(USUAL)/ready: bench/usual_stack/requirements.txt $(READY)
	$(BIN)/python -m venv --clear $(USUAL)
	$(USUAL)/bin/python -m pip --disable-pip-version-check install --no-compile --quiet --only-binary :all: -r bench/usual_stack/requirements.txt
	@touch $@

ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif
$(READY): requirements.txt pyproject.toml tools/setup.sh
	@tools/setup.sh $(VENV) requirements.txt
	@printf '%s\n' "$(CURDIR)" > $@

ifneq ($(shell cat $(READY_DEV) 2>/dev/null),$(CURDIR))
.PHONY: $(READY_DEV)
endif
$(READY_DEV): requirements-dev.txt pyproject.toml tools/setup.sh
	@tools/setup.sh $(VENV) requirements-dev.txt
	@printf '%s\n' "$(CURDIR)" > $(READY)
	@printf '%s\n' "$(CURDIR)" > $@
