# make lab    set up and open the course            make test   set up and run what must hold
# make bench  measure against the peers             make help   the rest
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
# The first Python of 3.11 to 3.13 that starts; say `make lab PYTHON=...` for another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
LESSON ?= lessons/00_start_here.ipynb
WORKERS ?= 2
CONSTRAINTS ?= constraints.txt
COMPARE ?= --nbval
VISITORS ?= 4
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c $(CONSTRAINTS)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

# Each stage uses all WORKERS by itself.
.NOTPARALLEL:

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 was found. Install one, or name it: make lab PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Two sets: what a learner needs, and that plus what only the tests need.
$(VENV)/installed: $(VENV)/made pyproject.toml $(CONSTRAINTS)
	@echo "Installing the course into $(VENV), once: some minutes, most of them for torch."
	$(PIP) -e '.[photos,ship]'
	@touch $@
# What the pages run in that lesson 08 exports; got now, so that exporting needs no network.
ENGINE := from effnet_edu.ground.onnxruntime_web import onnxruntime_web; onnxruntime_web()
$(VENV)/engine: $(VENV)/installed
	@echo "Getting the engine of the pages that lesson 08 exports, once (33 MB)."
	@$(BIN)/python -c "$(ENGINE)" 2>/dev/null && touch $@ || \
		echo "It could not be had now; the first export that has a network gets it."
$(VENV)/installed-demo: $(VENV)/installed
	$(PIP) -e '.[demo]'
	@touch $@
$(VENV)/installed-site: $(VENV)/installed
	$(PIP) -e '.[site]'
	@touch $@
# What browsers get, at the versions and hashes of the lock: Python for the live lab, and the player of slides.
website/node_modules/.package-lock.json: $(VENV)/installed-site website/package-lock.json
	$(BIN)/npm ci --prefix website --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
$(VENV)/installed-test: $(VENV)/installed
	$(PIP) -e '.[test]'
	@touch $(VENV)/installed-demo $(VENV)/installed-site $@

.PHONY: help setup lab demo site slides test needs lint unit notebooks browser test-thorough bench gpu latency \
	screenshots outputs lock map clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / \t/' | expand -t 16

setup: $(VENV)/installed ## make .venv and install the course into it

lab: $(VENV)/installed $(VENV)/engine ## open JupyterLab on the first lesson (prints the address where there is no display)
	$(BIN)/python -m effnet_edu lab $(LESSON)

demo: $(VENV)/installed-demo ## all labs as one page without code, on this machine (VISITORS=4)
	$(BIN)/python -m effnet_edu demo --visitors $(VISITORS)

site: $(VENV)/installed-site website/node_modules/.package-lock.json ## the static site, into build/site
	$(BIN)/python -m website.build

slides: $(VENV)/installed-site website/node_modules/.package-lock.json ## a deck for each lesson, into build/slides
	$(BIN)/python -m website.slides

test: needs lint unit notebooks browser ## what must hold, in some twenty minutes on two cores

needs: $(VENV)/installed-test ## get what tests need beside Python: Chromium, Fashion-MNIST
	$(BIN)/python -m tests.needs chromium fashion-mnist

lint: $(VENV)/installed-test ## ruff and mypy, and the workflows
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/zizmor --offline --strict-collection --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

unit: $(VENV)/installed-test ## tests without a notebook or a browser
	@$(BIN)/python -m tests.needs fashion-mnist
	$(PYTEST) tests -m "not browser and not gpu and not thorough"

notebooks: $(VENV)/installed-test ## every lesson, its stored outputs compared
	$(PYTEST) $(COMPARE) --nbval-current-env --nbval-cell-timeout=120 -p tests.notebooks.timed lessons

latency: $(VENV)/installed-test site ## how soon labs answer in Chromium: keys in JupyterLab, a drag on the site
	$(BIN)/python -m tests.browser.latency

browser: $(VENV)/installed-test website/node_modules/.package-lock.json ## JupyterLab, the site and the slides in headless Chromium
	@$(BIN)/python -m tests.needs chromium
	$(PYTEST) tests/browser tests/pictures tests/site -m "browser and not thorough"

test-thorough: $(VENV)/installed-test website/node_modules/.package-lock.json ## more cases of the same kinds, and what is slow
	@$(BIN)/python -m tests.needs
	$(PYTEST) tests -m "thorough and not gpu"

bench: $(VENV)/installed-test ## speed against the peers, interleaved; writes a table and a picture into tests/bench
	$(BIN)/python -m tests.bench

gpu: ## all that wants a GPU, in pieces, resumable; needs python with torch, no network (ARGS="--budget 1500")
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m tests.gpu $(ARGS)

outputs: $(VENV)/installed-test ## run all lessons and store their outputs
	$(BIN)/python -m tests.notebooks.store_outputs

screenshots: $(VENV)/installed-test ## pictures of the labs and the lessons, light and dark, into test-artifacts/
	$(BIN)/python -m tests.browser.screenshots

lock: ## rewrite constraints.txt from pyproject.toml with uv
	$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-header --no-annotate --no-emit-index-url \
		--upgrade pyproject.toml -o constraints.txt

map: $(VENV)/installed-test ## the map of the house, from its imports, into docs/house.svg
	$(BIN)/python -m tests.house

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts build website/node_modules
