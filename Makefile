# `make bench` shows the leaderboard, `make test` is the whole gate; both install what they need.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
FLOORS := .venv-floors

.PHONY: help bench test floors install clean

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

bench: install  ## run every homework at preset quick and print the tables
	$(BIN)/mlds-bench run all

test: install  ## ruff, mypy, import-linter, pytest, and one run of the built wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile
	$(BIN)/python -m tools.wheel_check

floors: install  ## install the lowest versions that pyproject.toml allows, and test with them
	@$(PYTHON) -m venv --clear $(FLOORS)
	$(BIN)/python -m tools.floors > $(FLOORS)/floors.txt
	@$(FLOORS)/bin/python -m pip install -c $(FLOORS)/floors.txt -e . pytest moviepy
	$(FLOORS)/bin/python -m pytest -o filterwarnings=default tests/contract tests/common tests/envs/test_core.py tests/envs/test_registry.py
	$(FLOORS)/bin/mlds-bench --help > /dev/null

install: $(INSTALLED)  ## create .venv; again only when pyproject.toml or constraints.txt change

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("mlds-bench needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.11")'
	@echo "installing into .venv: some minutes the first time, PyTorch is large; pip says what it does"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -c constraints.txt -e ".[dev]"
	@touch $@

clean:  ## remove .venv and all caches
	rm -rf .venv $(FLOORS) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist
