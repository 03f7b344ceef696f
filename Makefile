# The two commands of the README: `make run` and `make test`. Both set up what they need first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help run test check install organism clean

help:
	@echo "make run       install what is needed, then the workbench on the built-in model"
	@echo "               (without a terminal: the same job headlessly, printing what it found)"
	@echo "make test      install what is needed, then every check and test"
	@echo "make organism  train the built-in model again from its recipe (about a quarter of an hour)"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dct-tui needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(INSTALLED)

install: $(INSTALLED)

run: $(INSTALLED)
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/dct-tui; else $(BIN)/dct-tui demo; fi

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest

organism: $(INSTALLED)
	$(BIN)/python -m dct_tui.organism --out build/organism
	$(BIN)/python -m dct_tui.organism --out build/twin --twin

clean:
	rm -rf $(VENV) build dist *.egg-info
