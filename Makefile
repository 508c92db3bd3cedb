# Everything below sets up .venv by itself first: Python 3.10, pinned packages, under a second when it is up to date.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SETUP := scripts/setup_env.sh
BIN := .venv/bin
# Which interpreter to make the environment from, where the one that is found is not the right one: make PYTHON=/path/to/python3.10
PYTHON ?=
# Options for pytest: make test PYTEST="-k lnet -x"
PYTEST ?=
# Tests that run at a time; 0 for all in one process, as a debugger wants it.
WORKERS ?= 2
# Halves in the files' order, so that what a file's tests share is mostly made once.
RUN_TESTS = -m pytest --numprocesses $(WORKERS) --dist worksteal $(PYTEST)
# Tests start some hundred interpreters: each would compile the packages that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-core demo test test-core docs notebooks pictures lint format wheel lock clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

setup: ## make or refresh .venv: Python 3.10 with Lava
	@$(SETUP) $(if $(PYTHON),--python $(PYTHON))

demo: setup ## convert a trained network and run it in Lava, from end to end
	@$(BIN)/loihiconv demo

test: setup setup-core ## run all tests; one has loihiconv on a newer Python and Lava in .venv
	@$(BIN)/python $(RUN_TESTS)

# Where there is no Python 3.11 to 3.13, the test that wants one says so and is skipped.
setup-core:
	@if $(SETUP) --core --find >/dev/null; then $(SETUP) --core; fi

test-core: setup setup-core ## run the tests on the newest Python from 3.11 to 3.13, with Lava in .venv
	@LOIHICONV_LAVA_PYTHON="$(CURDIR)/$(BIN)/python" .venv-core/bin/python $(RUN_TESTS)

lint: setup ## check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## format the code and sort its imports
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs: setup ## build the documentation into build/site; a warning is an error
	@NO_MKDOCS_2_WARNING=true $(BIN)/python -m mkdocs build --strict --quiet
	@echo "build/site/index.html"

notebooks: setup ## run all tutorials and keep their outputs
	@cd tutorials && PYTHONPATH="$(CURDIR)" ../$(BIN)/python ../scripts/run_notebooks.py *.ipynb

wheel: setup ## build the wheel into dist/
	@$(BIN)/python -m hatchling build --target wheel

lock: ## choose the newest versions that pyproject.toml allows and lock them (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.10 --extra lava --extra nir --extra onnx --extra keras --extra bench --extra tutorials --extra docs --extra dev --constraint requirements/constraints.txt \
	    --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements/lock.txt
	echo uv | uv pip compile - --universal --python-version 3.10 --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --quiet --output-file requirements/tools.lock

pictures: setup ## draw the pictures of README and documentation again (needs Chromium)
	@$(BIN)/python scripts/pictures.py
	@PYTHONPATH="$(CURDIR)" $(BIN)/python scripts/gallery.py

clean: ## remove environments, caches and built files
	rm -rf .venv .venv-core .venv-tools .venv*.lock build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find loihiconv tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
