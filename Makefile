SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
UV := .tools/bin/uv
URL ?= http://127.0.0.1:$(or $(PORT),3000)
WORKERS ?= 2
COVERAGE ?= 93
export URL

.PHONY: help setup run dev build fmt lint types imports audit schemas schemas-drift docs check test test-order \
	test-concurrent test-ws soak soak-short network faults-network standby faults-standby failpoints faults-failpoints websockets \
	faults-websockets races installations simulate faults-simulate fuzz faults-fuzz security security-redis planted mutation model evidence proofs sbom chart-check \
	chart-docs dashboards images e2e e2e-up e2e-down bench bench-peer bench-counts lock clean

##@ Use
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv: needs a Python >= 3.12 and nothing else
	@scripts/bootstrap

run: setup ## Run the engine here: PostgreSQL, Valkey, four services, one port (PORT, default 3000)
	@exec $(BIN)/swaprail-local run

dev: setup ## Run the engine and start its services anew when the source changes
	@exec $(BIN)/swaprail-local run --reload

test-order: setup ## Walk one order through a running engine (URL)
	@$(BIN)/python tests/flows/order.py

test-concurrent: setup ## Send many orders at once to a running engine (URL)
	@$(BIN)/python tests/flows/concurrent_execute.py

test-ws: setup ## Watch orders over WebSocket on a running engine (URL)
	@$(BIN)/python tests/flows/ws.py

##@ Develop
fmt: setup ## Format, and fix what can be fixed
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

check: lint types imports schemas-drift audit ## Everything that can be said without running it

lint: setup ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## Types, strict
	$(BIN)/mypy libs services clients tests deploy conftest.py

imports: setup ## Which package may import which
	$(BIN)/lint-imports

audit: setup ## Known weaknesses of the packages used
	@scripts/audit

schemas: setup ## Write the schemas of HTTP, WebSocket and topics
	$(BIN)/python -m swaprail_local.schemas

docs: setup ## Write the references of settings and metrics: .env.example, docs/configuration.md, docs/metrics.md
	$(BIN)/python -m swaprail_local.configuration
	$(BIN)/python -m swaprail_local.metrics_reference

schemas-drift: schemas
	@git diff --exit-code -- schemas && test -z "$$(git ls-files --others --exclude-standard -- schemas)" || \
		{ echo "schemas/ is not what the code says: commit the result of 'make schemas'"; exit 1; }

test: setup ## All tests, with coverage of libs and services
	$(BIN)/pytest -n $(WORKERS) --cov=libs --cov=services --cov-report=term:skip-covered --cov-fail-under=$(COVERAGE)

chart-check: setup ## The chart, as far as it can be checked without a cluster: needs helm, kubeconform, helm-docs
	@scripts/chart-check

chart-docs: setup ## Write the chart's README.md and the descriptions in its schema from values.yaml
	@$(BIN)/python deploy/helm/describe_values.py
	@helm-docs --log-level warning --chart-search-root deploy/helm/swaprail

dashboards: setup ## Write the chart's Grafana dashboards from deploy/dashboards
	@$(BIN)/python -m deploy.dashboards

images: ## Images of the four services (TAG, default: the version; PREFIX; RELEASE=1: audited, on the pinned base alone)
	@scripts/images $(TAG)

e2e: setup ## Everything on a kind cluster: made, tested, deleted
	@scripts/e2e

e2e-up: setup ## The cluster of the end-to-end suite, to work with 
	@$(BIN)/python -m tests.e2e.cluster up

e2e-down: setup ## Delete it
	@$(BIN)/python -m tests.e2e.cluster down

##@ Prove (the short forms run in CI; the long ones keep their figures in docs/evidence)
soak-short: setup ## Three minutes of orders while everything is killed (SEED)
	$(BIN)/python -m tests.faults.soak --short $(if $(SEED),--seed $(SEED))

soak: setup ## 10,000 orders, 200 in flight, hundreds of kills; keeps its figures (SEED)
	RECORD=1 $(BIN)/python -m tests.faults.soak $(if $(SEED),--seed $(SEED))

network: setup ## Every link cut, slowed, sliced, under orders
	$(BIN)/pytest tests/faults/network

faults-network: setup ## Every toxic on every link, then a random walk; keeps its figures
	RECORD=1 $(BIN)/python -m tests.faults.network

standby: setup ## A synchronous standby restarted, cut off, lagging, promoted, under orders (SEED)
	$(BIN)/pytest tests/faults/standby -s

faults-standby: setup ## PROMOTIONS of it under load; keeps its figures (SEED)
	RECORD=1 $(BIN)/python -m tests.faults.standby --promotions $(or $(PROMOTIONS),200) $(if $(SEED),--seed $(SEED))

failpoints: setup ## SIGKILL before and after every effect
	$(BIN)/python -m tests.faults.failpoints

faults-failpoints: setup ## The same at later passages as well; keeps its figures
	RECORD=1 $(BIN)/python -m tests.faults.failpoints --rounds 3

websockets: setup ## 500 clients, cut and moved, while notifiers are killed
	$(BIN)/python -m tests.faults.websockets --short

faults-websockets: setup ## The same over 10,000 orders; keeps its figures
	RECORD=1 $(BIN)/python -m tests.faults.websockets

races: setup ## Each guarded statement against every other one on one order, stopped between its snapshot and its lock
	$(BIN)/pytest tests/races -n $(WORKERS)

installations: setup ## What real installations meet: addresses that move, sessions that are cut, settings that are refused
	$(BIN)/pytest tests/installations -n $(WORKERS)

simulate: setup ## 5,200 seeds of the engine's logic on a virtual clock, store, topics and lying nodes
	$(BIN)/pytest tests/simulation -n $(WORKERS) --dist worksteal --timeout 900
	$(BIN)/python -m tests.simulation --seeds 2000 --workers 2
	$(BIN)/python -m tests.simulation --each-lie --seeds 200 --workers 2

faults-simulate: setup ## SEEDS of them, and LIE_SEEDS of each lie; keeps their figures
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),100000) --workers 2 --record
	$(BIN)/python -m tests.simulation --each-lie --seeds $(or $(LIE_SEEDS),10000) --workers 2 --record

fuzz: setup ## The API by a state machine and by its document, WebSockets by wrong bytes
	$(BIN)/pytest tests/fuzz -n $(WORKERS) --dist loadfile

faults-fuzz: setup ## Longer, one after the other; keeps its figures (FUZZ_SEED)
	RECORD=1 $(BIN)/pytest tests/fuzz tests/security -n 0 --timeout 900

security: setup ## Accounts, forgeries, slow and large requests, origins, canaries
	$(BIN)/pytest tests/security -n $(WORKERS)

security-redis: setup ## Somebody who can write to Redis, over 5,000 orders (SEED)
	ATTACKED_ORDERS=5000 $(BIN)/pytest tests/security/test_redis_attacker.py -s

planted: setup ## Planted bugs, each of which the tests must catch
	$(BIN)/python -m tests.planted $(if $(RECORD),--record)

mutation: setup ## The core changed in one place at a time, which the tests must notice; by hand, takes hours; can be resumed (ONLY: a group; CARRY; RECORD)
	@scripts/bootstrap mutation
	$(BIN)/python -m tests.mutation --workers $(WORKERS) $(if $(ONLY),--only $(ONLY)) $(if $(RECORD),--record) $(if $(CARRY),--carry)

model: setup ## The once-only protocol explored exhaustively, old rules put back; by hand, needs cargo (RECORD)
	$(BIN)/python -m tests.model $(if $(RECORD),--record)

proofs: soak-short network standby failpoints websockets races installations simulate fuzz security planted ## All of these, in their short forms

evidence: setup ## Render docs/guarantees.md from what is kept
	$(BIN)/python -m tests.evidence

sbom: setup ## Bill of materials of each image, into dist/sbom
	$(BIN)/python scripts/sbom

##@ Measure
bench: setup ## The suite, into docs/performance.md (ONLY: parts, separated by commas); needs node for the comparison
	$(BIN)/python tests/load/bench.py --record $(if $(ONLY),--only $(ONLY))

bench-peer: setup ## The comparison with a Node engine alone
	$(BIN)/python tests/load/bench.py --record --only comparison,comparison-latency

bench-counts: setup ## Commits and Redis commands an order costs; fails when there are too many
	$(BIN)/python tests/load/bench.py --counts

##@ Package
lock: ## Resolve anew and write locks/, what everything is installed from
	@scripts/bootstrap tools
	@scripts/lock

build: setup ## Wheels of all packages, into dist/
	@$(UV) build --quiet --all-packages --wheel --out-dir dist
	@ls dist

clean: ## Remove what was built; keeps .data
	@rm -rf dist .venv .tools .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* htmlcov
