# Each target works alone on a fresh Debian with Python 3.11.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOG := $(VENV)/install.log
PIP := $(BIN)/pip install --progress-bar=off --disable-pip-version-check -c constraints.txt

# Tests wait for servers more than they compute: more workers than cores.
WORKERS ?= 4
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

.PHONY: start cluster test quick check i18n docs screenshots gateway release-test bench clean

start: $(INSTALLED)
	@PORT="$(PORT)" SMTP_PORT="$(SMTP_PORT)" $(BIN)/python -m devel.start

# Two instances and two workers; DATABASE=zeo (with Redis) or postgresql.
cluster: $(INSTALLED)
	@PORT="$(PORT)" DATABASE="$(DATABASE)" $(BIN)/python -m devel.cluster

test: $(INSTALLED)
	$(PYTEST) -n $(WORKERS) $(ARGS)

# No Plone, no server.
quick: $(INSTALLED)
	$(PYTEST) -n 2 tests/message tests/inbound tests/architecture $(ARGS)

check: $(INSTALLED)
	devel/check $(BIN)

# Finds new messages and says what is missing in each language; the .mo are made when Plone starts and when a wheel is built.
i18n: $(INSTALLED)
	@I18NDUDE=$(CURDIR)/$(BIN)/i18ndude src/imio/mailbridge/locales/update.sh >/dev/null 2>&1 || \
	  { echo "update.sh failed; run it to see why"; exit 1; }
	@$(BIN)/python -m devel.catalog

# Warnings are errors; the folder can be published as it is.
docs: $(INSTALLED)
	$(BIN)/python -m sphinx -q -n -W --keep-going -d docs/_build/doctrees docs docs/_build/html
	@echo "docs/_build/html/index.html"

# The pictures of the guides, from the browser tests; look at each before it is committed.
screenshots: $(INSTALLED)
	$(BIN)/python -m devel.screenshots

# LMTP server, IMAP and explain in one file, for a mail host without Plone.
gateway: $(INSTALLED)
	$(BIN)/python -m devel.gateway build

release-test: $(INSTALLED)
	$(BIN)/python -m devel.release_test

bench: $(INSTALLED)
	$(BIN)/python -m devel.bench

# The venv needs Debian's python3-venv; --copies would break on some Pythons, links are fine.
$(INSTALLED): setup.py constraints.txt
	@test -x $(BIN)/python || { echo "Making the virtual environment ..."; $(PYTHON) -m venv $(VENV) || \
	  { echo "Install python3-venv first: apt-get install python3-venv"; exit 1; }; }
	@devel/quietly $(LOG) "Installing pip and setuptools" $(PIP) pip setuptools wheel
	@devel/quietly $(LOG) "Installing Plone and the add-on; the first time takes some minutes" $(PIP) -e '.[test,check]'
	@touch $@

clean:
	rm -rf $(VENV) var build dist docs/_build
