# Needs only Python 3.11 or newer, make, and the package registries. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The newest of the usual names that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
# Where it is set, each of the thousand processes of a test run compiles all its modules anew: two thirds of its start.
export PYTHONDONTWRITEBYTECODE :=
# With three or with four, all tests take as long on two slow cores: then the processors are the limit.
WORKERS ?= 4
# Nodes side by side in make e2e: each, with a chart under load on it, has enough to do for two cores.
NODES ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$(( n < 4 ? 1 : 2 )))
DIST ?= dist
NODE_POSSIBLE := $(BIN)/python -m makima.sandbox.node

.PHONY: help demo test e2e check generate image manifests bench pictures clean

help: ## List the targets
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo "makima needs Python 3.11 or newer; install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; fi
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[sandbox,agents]' --group dev
	@touch $@

demo: $(STAMP) ## Run the main job on a sandbox of its own (KEEP=1 leaves it running, DEMO="--context NAME": on your cluster)
	$(BIN)/python examples/demo/run.py $(if $(KEEP),--keep) $(DEMO)

test: $(STAMP) ## Run all tests, with a real API server, a real Postgres and, as root on Linux, a real node (NODE=no: without)
	$(if $(filter tests/unit%,$(TESTS)),,@$(BIN)/makima sandbox build --helm $(if $(filter no,$(NODE)),,$$($(NODE_POSSIBLE) && echo --node)))
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not exhaustive" $(if $(filter no,$(NODE)),--ignore tests/e2e) $(TESTS)
	@echo "not run: $(if $(filter no,$(NODE)),tests/e2e need a real node (NODE=no),what is marked exhaustive (every kill; slow agent programs; the older Helm; on a node: kills, the chart, the command line, upgrades, images, backups)); make e2e runs it"

# Only from the command line: a KUBECONFIG of the environment names the cluster that somebody works with.
OWN_CLUSTER = $(filter command,$(firstword $(origin KUBECONFIG)))

e2e: $(STAMP) ## Run every test on a real node (root on Linux; NODES=2, two side by side, takes 35 to 45 minutes), or what can run in your cluster (KUBECONFIG=… IMAGE=… DATABASE_URL=…)
	@$(BIN)/makima sandbox build --helm $(if $(OWN_CLUSTER),,--node)
	$(if $(OWN_CLUSTER),MAKIMA_E2E_KUBECONFIG=$(abspath $(KUBECONFIG)) MAKIMA_E2E_IMAGE=$(IMAGE) MAKIMA_E2E_DATABASE_URL='$(DATABASE_URL)') \
		$(BIN)/python -m pytest -v -n $(NODES) --dist loadgroup $(if $(TESTS),$(TESTS),tests/e2e)
	$(if $(TESTS)$(OWN_CLUSTER),,$(BIN)/python -m pytest -m exhaustive tests/integration)

check: $(STAMP) ## Lint, format, types, layering, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory generate
	git diff --exit-code -- crds manifests docs helm

generate: $(STAMP) ## Write CRDs, manifests and reference pages from their sources
	$(BIN)/python -m makima.schema

manifests: $(STAMP) ## Render the plain manifests of manifests/overlays from the chart (builds Helm, once)
	$(BIN)/python -m tests.support.plain_manifests

image: $(STAMP) ## Build the image with docker, podman or buildah (ENGINE=…, BASE=…, BUILDER=…, OPTIONS=…), or without any (ENGINE=none); SBOM and archive in dist/
	$(BIN)/python -m makima.sandbox.image $(DIST) $(if $(ENGINE),--engine=$(ENGINE)) $(if $(OPTIONS),--options='$(OPTIONS)') \
		$(foreach name,BASE BUILDER,$(if $($(name)),--build-arg=$(name)=$($(name))))

bench: $(STAMP) ## Measure against the twins in bench/ and print one table
	$(BIN)/python -m bench $(BENCH)

pictures: $(STAMP) ## Draw the pictures of docs/monitor.md anew
	$(BIN)/python -m tests.support.monitor_pictures docs/pictures

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
