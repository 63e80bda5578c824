# Everything a person needs: `make try` to see it work, `make test` to check a change.
PYTHON ?= python3
WORKSPACE ?= .
VENV := .venv
BIN := $(VENV)/bin
EDITORS := $(abspath $(or $(QWEN_LSP_EDITORS),.cache/editors))
SCREENS := $(abspath $(or $(QWEN_LSP_SCREENS),$(EDITORS)/screens))

.PHONY: try test lint types contracts tests editors test-editors pictures docs clean

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
	env -u QWEN_LSP_EDITORS $(BIN)/python -m pytest

# Real editors, in a folder of their own: docs/testing-editors.md.
# EDITOR_NAMES and EDITOR_TESTS choose some of them.
EDITOR_TESTS ?= tests/editors
editors:
	$(PYTHON) -m tools.editors install $(EDITOR_NAMES) --into $(EDITORS)

test-editors: $(VENV)/installed-dev editors
	QWEN_LSP_EDITORS=$(EDITORS) QWEN_LSP_SCREENS=$(SCREENS) $(BIN)/python -m pytest $(EDITOR_TESTS)

pictures: test-editors
	$(BIN)/python -m tools.pictures $(SCREENS)

docs: $(VENV)/installed-dev
	$(BIN)/python tools/docs.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
