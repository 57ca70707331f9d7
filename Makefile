# Paperwire. `make` alone prints this help.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Test files run side by side: most of their time is waiting for servers.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check fmt fuzz lock

help: ## print this help
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## make .venv from the lock, with everything to work on Paperwire
	@$(PYTHON) tools/setup.py dev

demo: ## run the whole pipeline on a recorded announcement and serve the feeds (ARGS=--once to end then)
	@[ -e .venv/.installed-dev ] || $(PYTHON) tools/setup.py local
	@$(BIN)/paperwire demo $(ARGS)

up: ## the same, live: CONTACT=you@example.org make up ARGS="--feeds feeds.toml"
	@[ -e .venv/.installed-dev ] || $(PYTHON) tools/setup.py local
	@$(BIN)/paperwire up $(ARGS)

test: setup check ## lint, types, import rules and all tests (ARGS="-k word" for some)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: setup ## lint, format, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fmt: setup ## put the code into form
	@$(BIN)/ruff check --fix -q .
	@$(BIN)/ruff format -q .

fuzz: setup ## look for bytes that a parser stumbles over (ARGS=seconds for each, 60 without)
	@$(PYTHON) tools/setup.py fuzz
	@for form in arxiv_rss arxiv_oai arxiv_api; do \
	  $(BIN)/python -m tests.fuzz.harness $$form -max_total_time=$(or $(ARGS),60) || exit 1; done

lock: setup ## write the lock files anew (ARGS=--upgrade for the newest of everything)
	@tools/lock.sh $(ARGS)
