# Every step of the project. `make` alone lists them.
# Debian's first: built with profile-guided optimization it is about 1.4 times as fast as one that pyenv has compiled
# without. It needs the package python3-venv.
PYTHON ?= $(shell for each in /usr/bin/python3.11 python3.11 python3; do \
	$$each -c 'import ensurepip' 2>/dev/null && command -v $$each && break; done || command -v python3)
VENV ?= .venv
BIN = $(VENV)/bin
CALL ?=
# Two processes for the tests that compute, four for those that wait for a clock. JOBS=0 runs one after the other.
JOBS ?= 6
AT_ONCE = -n $(JOBS) --dist loadfile --no-loadscope-reorder -p voiceapp.tests.second_run
PORT ?= 8080
LIVEKIT_CLIENT = static/vendor/livekit-client.umd.js
WAVESURFER = static/vendor/wavesurfer.esm.js
HOST ?= 0.0.0.0
# Containers often forbid Python to keep what it has compiled: every process of the tests would compile all anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help setup setup-simulators setup-agent setup-dev run serve test collect test-servers test-browser pictures screenshots livekit-client wavesurfer livekit-server test-livekit check fix bench fuzz static

help:  ## List the steps
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

# What the packages take, in MB.
ROOM = 1500
define room
	@df -Pm . | awk 'NR == 2 && $$4 < $(ROOM) { print "The packages take about $(ROOM) MB, and " $$4 " MB are free here: free some space, or clone to another disk."; exit 1 }'
endef

$(BIN)/python:
	$(room)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "voiceapp needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python -m venv failed. On Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.runs: requirements.txt | $(BIN)/python
	$(room)
	@echo "Installing the packages (once, about a minute)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.simulates: requirements-simulators.txt $(VENV)/.runs
	@echo "Installing the packages of the simulators (once, about half a minute)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-simulators.txt
	@touch $@

$(VENV)/.agent: requirements-agent.txt $(VENV)/.runs
	$(room)
	@echo "Installing the packages of the agents' worker (once, about a minute)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-agent.txt
	@touch $@

$(VENV)/.develops: requirements-dev.txt requirements-agent.txt requirements-simulators.txt requirements.txt | $(BIN)/python
	$(room)
	@echo "Installing the packages for tests and checks (once, about two minutes)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(VENV)/.runs $(VENV)/.simulates $(VENV)/.agent $@

setup: $(VENV)/.runs  ## Make the virtual environment with the packages of production
setup-simulators: $(VENV)/.simulates  ## Add the packages of the simulators
setup-agent: $(VENV)/.agent  ## Add the packages of the worker whose agents speak in rooms (about 300 MB)
setup-dev: $(VENV)/.develops  ## Add the packages of the tests and checks

# The browser's only code by others, at the versions and hashes of package-lock.json: livekit-client for the call page, and
# wavesurfer.js for the player of recordings, which zooms with it and needs it for nothing else.
$(LIVEKIT_CLIENT): package-lock.json
	@command -v npm >/dev/null || { echo "The call page needs livekit-client, which npm installs: install Node.js 18 or newer, then make livekit-client"; exit 1; }
	@npm ci --ignore-scripts --no-audit --no-fund --silent
	@mkdir -p $(@D) && cp node_modules/livekit-client/dist/livekit-client.umd.js $@

$(WAVESURFER): package-lock.json
	@command -v npm >/dev/null || { echo "The player of recordings zooms with wavesurfer.js, which npm installs: install Node.js 18 or newer, then make wavesurfer"; exit 1; }
	@[ -f node_modules/wavesurfer.js/dist/wavesurfer.esm.js ] || npm ci --ignore-scripts --no-audit --no-fund --silent
	@mkdir -p $(@D) && cp node_modules/wavesurfer.js/dist/wavesurfer.esm.js $@

livekit-client: $(LIVEKIT_CLIENT)  ## Add livekit-client to the static files, for the call page in the browser; needs npm
wavesurfer: $(WAVESURFER)  ## Add wavesurfer.js to the static files, to zoom in the player of recordings; needs npm

run: setup-simulators  ## Run everything; simulators replace providers without keys. One test call; CALL=only stops after it
	@$(MAKE) --no-print-directory livekit-client wavesurfer || true
	@$(BIN)/python manage.py run $(if $(CALL),--call $(CALL))

serve: setup  ## Migrate, then the web process alone, with whatever the environment says
	@$(BIN)/python manage.py migrate --no-input -v 0
	@PORT=$(PORT) HOST=$(HOST) exec $(BIN)/python manage.py serve

static: setup  ## Collect the static files, as the container's image does
	@SECRET_KEY=only-for-collecting-files $(BIN)/python manage.py collectstatic --no-input -v 0

test: setup-dev  ## Everything that needs no server and no account (browser tests where Chromium is)
	@$(MAKE) --no-print-directory livekit-client wavesurfer || true
	$(BIN)/python -m pytest -m "not servers and not livekit_server" $(AT_ONCE) $(PYTEST)

collect: setup-dev  ## Only find the tests, which compiles them
	$(BIN)/python -m pytest --collect-only -q

# Tests that use none of the three are not repeated.
NO_SERVER = --deselect scripts/ $(addprefix --ignore ,voiceapp/simulators voiceapp/providers voiceapp/core/ical telephony/bridge/tests \
	telephony/livekit/agent/tests voiceapp/core/phones recordings/spool recordings/finishing/tests/test_audio.py \
	$(addprefix voiceapp/tests/test_,documentation_links.py layers.py livekit_server.py project_files.py second_run.py) \
	sessions/orders/tests/test_spoken_corpus.py sessions/orders/tests/test_draft_changes.py \
	sessions/appointments/tests/test_availability.py sessions/appointments/tests/test_wishes.py)

test-servers: setup-dev  ## The same tests on PostgreSQL, Redis and RabbitMQ from Debian's packages
	$(BIN)/python scripts/with_servers.py $(BIN)/python -m pytest -m "not browser and not embedded and not livekit_server" $(AT_ONCE) $(NO_SERVER) $(PYTEST)

test-browser: setup-dev  ## The browser's tests alone
	$(BIN)/python -m pytest -m browser $(PYTEST)

pictures: setup-dev  ## Take the pictures of the call page, in each of its states, and of the player anew; needs Chromium
	PICTURES=docs/images $(BIN)/python -m pytest -q tests/playwright/pictures.py tests/playwright/player_pictures.py

screenshots: setup-dev  ## A picture of each page of the console, from demo data, into var/screenshots; fails on axe's and the browser's complaints
	@$(MAKE) --no-print-directory livekit-client wavesurfer || true
	$(BIN)/python -m scripts.screenshots $(SCREENSHOTS)

livekit-server: setup  ## A real LiveKit on this machine alone, for rooms without Cloud; needs Go, the first time three minutes
	@exec $(BIN)/python scripts/livekit_server.py run $(PORT)

test-livekit: setup-dev  ## The contract, and a whole call, with a real LiveKit; skipped with the reason where it is not installed
	$(BIN)/python -m pytest -m livekit_server -p voiceapp.tests.second_run $(PYTEST)

check: setup-dev  ## Style, types, the order of imports, migrations, production settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python scripts/check_deploy.py
	$(BIN)/python -m pip check

fix: setup-dev  ## Format, and repair what can be repaired by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev  ## Speed, as ratios to a reference in the same run
	$(BIN)/python scripts/bench/run.py $(BENCH)

fuzz: setup-dev  ## Hostile frames, hostile requests, for FUZZ_SECONDS each, and new examples in the tests that make some
	$(BIN)/python scripts/fuzz.py --seconds $(or $(FUZZ_SECONDS),60)
	$(BIN)/python -m pytest -q -m "hypothesis and not servers" --hypothesis-profile "shared core"
