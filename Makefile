# The verbs of this repository. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
CLUSTER := $(PYTHON) -m cluster
RPC := operator/trimtab/serving/rpc
PROTOC := $(PY) -m grpc_tools.protoc -I$(RPC) $(RPC)/open_inference.proto
LOCK := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links
export PYTHONUNBUFFERED := 1

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(VENV)/.stamp: requirements/dev.txt pyproject.toml
	$(CLUSTER) python
	$(PYTHON) -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: venv
venv: $(VENV)/.stamp ## the virtual environment with everything that is pinned

.PHONY: check
check: venv ## style, types, import floors, and that generated files are fresh
	$(PY) -m ruff check .
	$(PY) -m mypy operator/trimtab manifests cluster demo tests
	$(VENV)/bin/lint-imports .importlinter
	$(PY) -m trimtab.api.crd --check crds/
	$(PY) -m trimtab.api.reference --check docs/kinds/
	$(PY) -m manifests.alerts --check manifests/components/prometheus-operator/
	$(PY) -m manifests.dashboards --check manifests/dashboards/
	mkdir -p build/rpc && $(PROTOC) --python_out=build/rpc --pyi_out=build/rpc
	for file in build/rpc/*_pb2.py*; do diff $$file $(RPC)/$${file##*/} || { echo "stale: run make generate"; exit 1; }; done

.PHONY: generate
generate: venv ## write crds/, the field tables of docs/kinds/, the copy of the rules, the dashboards and the messages of gRPC anew
	$(PY) -m trimtab.api.crd crds/
	$(PY) -m trimtab.api.reference docs/kinds/
	$(PY) -m manifests.alerts manifests/components/prometheus-operator/
	$(PY) -m manifests.dashboards manifests/dashboards/
	$(PROTOC) --python_out=$(RPC) --pyi_out=$(RPC)

.PHONY: unit
unit: venv ## the pure tests, no sockets; those of the alerts need promtool: python3 -m cluster tools
	$(PY) -m pytest tests/unit

.PHONY: test
test: venv check ## everything, on a real cluster on this machine
	$(CLUSTER) tools
	$(CLUSTER) up
	$(CLUSTER) images
	$(PY) -m pytest tests/unit tests/process tests/cluster/local tests/cluster tests/e2e

FUZZ ?= 5
SEED ?= 1

.PHONY: fuzz
fuzz: venv ## attacks on the model server, FUZZ (5) times as many as in make test; another SEED makes other ones
	TRIMTAB_FUZZ=$(FUZZ) TRIMTAB_FUZZ_SEED=$(SEED) $(PY) -m pytest $(wildcard tests/process/serving/test_fuzz_*.py)

.PHONY: up
up: ## bring the local cluster up, images included
	$(CLUSTER) up
	$(CLUSTER) images

.PHONY: down
down: ## end the local cluster and leave nothing behind but the cache of builds
	$(CLUSTER) down

.PHONY: demo
demo: venv ## the whole story on real flights, live
	$(PY) -m demo

.PHONY: demo-down
demo-down: ## end what `make demo` left running
	$(PYTHON) -m demo.down

.PHONY: bench
bench: venv ## all of the following, the last two on a local cluster; one that fails keeps no other from its turn
	-$(MAKE) --no-print-directory bench-serving
	-$(MAKE) --no-print-directory bench-drift
	-$(CLUSTER) up
	-$(MAKE) --no-print-directory bench-training
	-$(MAKE) --no-print-directory bench-operator

.PHONY: bench-serving
bench-serving: venv ## our model server beside MLServer, KServe, BentoML and FastAPI, on one core, in turns
	$(PY) -m tests.bench.serving $(BENCH)

.PHONY: bench-drift
bench-drift: venv ## our drift verdicts beside Evidently, NannyML, river, whylogs and Frouros, on streams of known truth
	$(PY) -m tests.bench.drift $(BENCH)

.PHONY: bench-operator
bench-operator: venv ## 1,000 ModelDeployments at once, beside a bare client that makes the same writes
	$(PY) -m tests.bench.operator

.PHONY: bench-training
bench-training: venv ## where the time of one TrainingJob goes, beside a bare script
	$(PY) -m tests.bench.training

.PHONY: lock
lock: venv ## pin requirements/*.txt anew, with hashes and without addresses
	$(PY) -m pip install --quiet uv
	for set in controller:operator serving:server training:trainer dev:dev; do \
	  $(LOCK) pyproject.toml --extra $${set%%:*} -o requirements/$${set##*:}.txt; \
	done
	$(LOCK) --group clients -o requirements/clients.txt
