# Two commands set everything up: `make lab` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
FOR_LAB  := $(VENV)/.installed-lab
FOR_TEST := $(VENV)/.installed-test

.PHONY: lab test lint format notebooks build book parity benchmarks accuracy constraints test-backends clean help
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# --- The environment. A stamp is written last, so an interrupted installation leaves none.

define environment
@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
    echo "cnncourse needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo 'not there')." >&2; \
    echo "Try another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }; \
  echo "Creating the environment in $(VENV) ..."; \
  $(PYTHON) -m venv --clear $(VENV) || { \
    rm -rf $(VENV); \
    echo "'$(PYTHON)' cannot make a virtual environment." >&2; \
    echo "On Debian and Ubuntu: sudo apt install python3-venv; then run the same command again." >&2; exit 1; }; }
endef

define install
@echo "Installing $(1) (minutes, the first time) ..."
@$(PIP) install -q -c constraints.txt -e '$(1)' || { \
  echo "The packages could not be installed; what pip said is above." >&2; \
  echo "Is the network up, and can pip reach its package index? Nothing is lost: run the same command again." >&2; exit 1; }
@$(BIN)/python -m ipykernel install --sys-prefix >/dev/null
endef

$(FOR_LAB): pyproject.toml constraints.txt
	$(environment)
	$(call install,.)
	@touch $@

$(FOR_TEST): pyproject.toml constraints.txt
	$(environment)
	$(call install,.[test])
	@touch $(FOR_LAB) $@

# --- For learners.

lab: $(FOR_LAB)  ## open the course in JupyterLab (ARGS=--no-browser on a server)
	$(BIN)/cnncourse lab . $(ARGS)

# --- For who works on the course.

test: lint  ## run everything: lint, unit tests, every notebook, the browser
	$(BIN)/python -m pytest -n 2 --dist loadscope --max-worker-restart 0
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout 120 \
	  --nbval-sanitize-with tests/nbval.cfg -p no:cacheprovider -n 2 --dist loadscope --max-worker-restart 0 chapters solutions exercises

lint: $(FOR_TEST)  ## check format and style, notebooks too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(FOR_TEST)  ## format, notebooks too
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

notebooks: $(FOR_TEST)  ## execute and clean notebooks (NB=chapters/02_convolution.ipynb; default: all)
	$(BIN)/python tools/run_notebooks.py $(or $(NB),$(wildcard chapters/*.ipynb solutions/*.ipynb))

build: $(FOR_TEST)  ## make the exercises from the solutions
	$(BIN)/cnncourse build

book: $(FOR_TEST)  ## build the book into book/_build/html
	$(BIN)/python book/build.py

test-backends: $(FOR_TEST)  ## compare every network on TensorFlow, JAX and PyTorch (gigabytes), write benchmarks/backends.md (ARGS="jax --networks mobilenet")
	$(call install,.[backends])
	$(BIN)/python tests/backends.py $(ARGS)

parity: $(FOR_TEST)  ## compare every network at full size with keras.applications (half an hour)
	$(BIN)/python -m pytest -m deep tests/test_architectures.py
	$(BIN)/python benchmarks/same_logits.py

benchmarks: $(FOR_TEST)  ## measure against peers on this machine, write the tables in benchmarks/
	$(BIN)/python benchmarks/scratch.py
	$(BIN)/python benchmarks/demos.py
	$(BIN)/python benchmarks/grading.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/pace.py
	$(BIN)/python benchmarks/architectures.py

accuracy: $(FOR_TEST)  ## train every recipe with three seeds (hours; goes on where it stopped; ARGS="--minutes 60")
	$(BIN)/python benchmarks/accuracy.py $(ARGS)

constraints: $(FOR_TEST)  ## pin the newest release of every dependency in constraints.txt
	$(BIN)/python tools/pin.py

clean:  ## remove what was built, keep the environment and unfinished trainings (build/accuracy)
	rm -rf book/_build dist .pytest_cache .ruff_cache .hypothesis
