# Two commands set everything up: `make lab` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: lab test book notebooks lint format clean help
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "cnncourse needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo not there). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test,book]' || \
	  { echo "The packages could not be installed. Is the network up, and does pip reach its index? Nothing is lost: run the same command again." >&2; exit 1; }
	@touch $@

lab: $(STAMP)  ## open the course in JupyterLab (ARGS=--no-browser on a server)
	$(BIN)/cnncourse lab . $(ARGS)

test: $(STAMP) lint  ## run everything: lint, unit tests, every notebook, the browser
	$(BIN)/python -m pytest -n 2 --dist loadscope
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout 120 \
	  --nbval-sanitize-with tests/nbval.cfg -p no:cacheprovider -n 2 --dist loadscope chapters solutions exercises

lint: $(STAMP)  ## check format and style, notebooks too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(STAMP)  ## format, notebooks too
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

notebooks: $(STAMP)  ## execute and clean notebooks in place (NB=chapters/02_convolution.ipynb, default all)
	$(BIN)/python tools/run_notebooks.py $(or $(NB),$(wildcard chapters/*.ipynb solutions/*.ipynb))

book: $(STAMP)  ## build the book into book/_build/html
	$(BIN)/python book/build.py

clean:  ## remove what was built, keep the environment
	rm -rf book/_build dist build .pytest_cache .ruff_cache .hypothesis
