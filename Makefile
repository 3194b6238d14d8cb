# Thin: sets up .venv from uv.lock, then calls Python. `make` alone lists the targets.
PY := .venv/bin/python
LOCAL := $(PY) -m deploy.local
.DEFAULT_GOAL := help
.PHONY: help setup demo serve services status migrate shell test check conformance fmt bench replay-olist chaos chaos-short chaos-mutants bench-engine test-browser test-house test-attack sweep shots fuzz audit-mutate bench-tenants

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.ready-run: uv.lock deploy/setup.sh
	@sh deploy/setup.sh run
	@touch $@

.venv/.ready-dev: uv.lock deploy/setup.sh
	@sh deploy/setup.sh dev
	@touch .venv/.ready-run $@

setup: .venv/.ready-dev ## make .venv with everything that developing needs

demo: .venv/.ready-run ## start everything with sample content; PORTAL_PORT and PORTAL_HOME make a second copy
	@$(LOCAL) demo

serve: .venv/.ready-run ## start everything without sample content
	@$(LOCAL) serve

services: .venv/.ready-run ## start the database and the broker alone
	@$(LOCAL) services

status: .venv/.ready-run ## say what runs here
	@$(LOCAL) status || true

migrate: .venv/.ready-run ## bring the database up to this version
	@$(LOCAL) run -- $(PY) manage.py upgrade

shell: .venv/.ready-run ## a Python shell inside the product
	@$(LOCAL) run -- $(PY) manage.py shell

test: .venv/.ready-dev ## all tests on a database of their own; ARGS="tests/deploy -k port" for some
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check: .venv/.ready-dev ## format, lint, types, import rules, templates, migrations; STEPS="ruff mypy" for some
	@$(PY) -m deploy.local.check $(STEPS)

conformance: .venv/.ready-dev ## the standard's own scenarios, and the profile of the language by feature
	@$(PY) -m tests.conformance

replay-olist: .venv/.ready-run ## a year of real orders into a fresh sandbox of the running demo, compared with the truth
	@$(PY) -m bench.replay_olist

bench: .venv/.ready-run ## figures of the engine, the door, provisioning and pages, as JSON lines
	@$(PY) -m bench.engine && $(PY) -m bench.door && $(PY) -m bench.tenants && $(PY) -m bench.pages

bench-engine: .venv/.ready-run ## the engine's figures: runs a second and core, the door, parked runs, timers, a loop, fairness
	@$(PY) -m bench.engine --repeats 5 && $(PY) -m bench.door && $(PY) -m bench.clockwork && $(PY) -m bench.fairness

sweep: .venv/.ready-dev ## every page in each theme, width and brand, every address as everybody: in minutes
	@$(PY) -m pytest -n 2 --dist worksteal -m sweep $(ARGS)

test-house: .venv/.ready-dev ## every address, role and tenant; every act; what the house holds itself to
	@$(PY) -m pytest -n 2 --dist worksteal -m "not chaos" tests/house $(ARGS)

test-attack: .venv/.ready-dev ## what an attacker would try
	@$(PY) -m pytest -n 2 --dist worksteal -m "not chaos" tests/attack $(ARGS)

test-browser: .venv/.ready-dev ## pages and journeys in a real browser
	@$(PY) -m pytest -n 2 --dist worksteal -m "not chaos" tests/browser tests/journeys $(ARGS)

shots: .venv/.ready-dev ## pictures of the twenty main pages, drawn anew into docs/shots
	@SHOTS=docs/shots $(PY) -m pytest -n 0 tests/browser/test_shots.py $(ARGS)

chaos: .venv/.ready-run ## orders while processes are killed, wiped and paused; SEED= RUNS= KILLS= REDIS= PG= DURATION=
	@$(PY) -m bench.chaos

chaos-short: .venv/.ready-dev ## the same in ninety seconds, as `.ci/run` does it
	@$(PY) -m pytest -n 0 -m chaos tests/chaos -k nothing_is_lost $(ARGS)

chaos-mutants: .venv/.ready-dev ## the product broken in five ways: each turns the harness red
	@$(PY) -m pytest -n 0 -m chaos tests/chaos -k broken_product $(ARGS)

fuzz: .venv/.ready-dev ## N=20000 hostile requests to every address and form, as everybody; SEED=; figures as one JSON line
	@$(PY) -m tests.fuzz --n $(or $(N),20000) --seed $(or $(SEED),1)

audit-mutate: .venv/.ready-run ## change a sealed audit log N=1000 times and find every change; figures as one JSON line
	@$(PY) -m bench.audit --n $(or $(N),1000)

bench-tenants: .venv/.ready-run ## N=1000 clients made and migrated: seconds, memory of a backend, size of the catalogue
	@$(PY) -m bench.tenants --count $(or $(N),1000) --fleet

fmt: .venv/.ready-dev ## put code and templates into their form
	@$(PY) -m deploy.local.check --fix
