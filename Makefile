# The commands of README, .ci/run and the workflow; ARGS="…" is passed on to the program that is started.

VENV := .venv
PY := $(VENV)/bin/python
IS_311 := import sys; sys.exit(sys.version_info[:2] != (3, 11))
PYTHON ?= $(shell for name in python3.11 python3 python; do \
	"$$name" -c '$(IS_311)' 2>/dev/null && { echo "$$name"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help run test check screenshots
# Two targets at once would run two pips in one environment.
.NOTPARALLEL:

help: ## list the commands
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

run: $(VENV)/run.stamp ## set up if needed and open the page; ARGS="--port 8000"
	@exec $(PY) app.py $(ARGS)

test: $(VENV)/dev.stamp ## set up if needed and run every test; ARGS="tests/test_split.py"
	$(PY) -m pytest $(ARGS)

check: $(VENV)/dev.stamp ## lint, format and types, as CI judges them
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

screenshots: $(VENV)/dev.stamp ## take the pictures of docs/ anew, with Chromium
	$(PY) -m tests.screenshots

$(VENV)/run.stamp: requirements.txt constraints.txt
	$(call install,requirements.txt)
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements-scale.txt requirements.txt constraints.txt
	$(call install,requirements-dev.txt)
	@touch $(VENV)/run.stamp $@

# A stamp is written last, so what was cut short is done again. An install that died while it was changing packages
# (they are younger than the `installing` mark that it left) cannot be trusted: the environment is made again.
define install
@"$(PYTHON)" -c '$(IS_311)' 2>/dev/null || { \
	echo "Sourcier needs Python 3.11 and found none (python3 is $$(python3 --version 2>&1 || true));" \
		"install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
@if ! $(PY) -c '$(IS_311)' 2>/dev/null || ! $(PY) -m pip --version >/dev/null 2>&1 || \
	{ test -e $(VENV)/installing && test $(VENV)/lib/python3.11/site-packages -nt $(VENV)/installing; }; \
	then rm -rf $(VENV); fi
@mkdir -p $(VENV)
@touch $(VENV)/installing
@test -e $(PY) || "$(PYTHON)" -m venv $(VENV)
@echo "Installing $(1) in $(VENV): some minutes the first time, then only when it changes."
@$(PY) -m pip install --quiet --disable-pip-version-check -r $(1) -c constraints.txt
@rm $(VENV)/installing
endef
