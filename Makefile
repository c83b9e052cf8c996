# Every target sets up what it needs; set-up is repeated only when a dependency changed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

WORKERS ?= auto
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

.PHONY: demo test test-fast check bench matching mutants simulation rush schema setup

demo: $(READY)  ## Run the whole path through the public API and keep serving.
	@$(BIN)/yibao demo

test: check  ## Static checks, then all tests on SQLite and PostgreSQL.
	@$(PYTEST)

test-fast: $(READY)  ## Pure parts, cases and use cases on SQLite alone, for while one works.
	@$(PYTEST) --one-database tests/unit tests/cases tests/properties tests/usecases

check: $(READY)  ## Format, lint, types, import directions, policy packs.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/yibao policy check

bench: $(READY)  ## The engine alone; then settlements per second beside plain SQL on the same database.
	@$(BIN)/python -m tests.bench_engine && $(BIN)/python -m tests.bench

matching: $(READY)  ## Precision and recall of the matching of local items, by kind of noise.
	@$(BIN)/python -m tests.bench_matching

mutants: $(READY)  ## Change the engine in every small way and see which changes no test notices.
	@$(BIN)/python -m tests.mutants

simulation: $(READY)  ## Many long histories of everything in use and going wrong, then the books of both sides.
	@$(BIN)/pytest tests/simulation/test_many_days.py tests/simulation/test_whole_province.py --histories 40 --happenings 400

rush: $(READY)  ## 5,000 people for 100 seats in the same moment, over HTTP, on both databases.
	@$(BIN)/python -m tests.rush

schema: $(READY)  ## Write schema.graphql and the manifest of the app's documents.
	@$(BIN)/yibao schema && $(BIN)/yibao documents

setup: $(READY)

$(READY): pyproject.toml .packaging/constraints.txt .packaging/dlib/pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "setting up (once, about a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check \
		--constraint .packaging/constraints.txt ./.packaging/dlib --editable '.[dev]'
	@$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --no-binary face-recognition \
		--dest .venv/faces face-recognition==1.3.0  # its source holds the photographs of the tests
	@touch $(READY)
