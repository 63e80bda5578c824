# Everything a person needs: `make try` to see it work, `make test` to check a change.
PYTHON ?= python3
WORKSPACE ?= .
VENV := .venv
BIN := $(VENV)/bin

.PHONY: try test lint types contracts tests docs clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "qwen-lsp needs Python 3.11 or newer; set PYTHON=/path/to/python3")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

try: $(VENV)/installed
	$(BIN)/qwen-lsp tour $(WORKSPACE)

test: lint types contracts tests

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/pyright --warnings

contracts: $(VENV)/installed-dev
	$(BIN)/lint-imports

tests: $(VENV)/installed-dev
	$(BIN)/python -m pytest

docs: $(VENV)/installed-dev
	$(BIN)/python tools/docs.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
