# make demo      set everything up and run the demonstration study, from search to report
# make test      set everything up and pass the tests
# make docs      the documentation as a site, in build/docs; needs a network only for its packages, once
# make extended  longer tests, in tests/extended: thousands of generated inputs, several processes; not part of `test`
# make chaos     the longest tests, in tests/chaos: thousands of kills and bit flips, for hours; not part of `test`
# make browser   the report's page in a headless Chromium, which must be on the PATH; not part of `test`
#                and the site of the documentation; ARGS="-k kills" picks some of these three
# make check     ruff and mypy
# make bench     speed and memory, side by side with peers; not part of the tests
# make gpu       correctness and speed on a GPU, at most 8 minutes; smaller on a CPU; not part of the tests
# make setup     the environment in .venv, from the hash-locked requirements

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
STAMP := .venv/.complete
SITE := .venv/.docs

ARGS ?=

.PHONY: setup demo docs test extended chaos browser check bench gpu clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $(STAMP)

# What the site and the notebooks need beside the rest; it changes no package of requirements.lock.
$(SITE): docs/requirements.lock $(STAMP)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r docs/requirements.lock
	touch $(SITE)

docs: $(SITE)
	$(BIN)/python -m sphinx -c docs -b html -W --keep-going --quiet -d build/doctrees . build/docs
	@echo build/docs/index.html

demo: setup
	$(BIN)/realitycheck check studies/demo.yaml
	$(BIN)/realitycheck run studies/demo.yaml --workers 2
	$(BIN)/realitycheck report studies/demo.yaml

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

extended: setup $(SITE)
	$(BIN)/python -m pytest tests/extended $(ARGS)

chaos: setup
	$(BIN)/python -m pytest tests/chaos $(ARGS)

browser: setup $(SITE)
	$(BIN)/python -m pytest tests/browser $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python tests/benchmarks/bench_scoring.py
	$(BIN)/python tests/benchmarks/bench_training.py
	$(BIN)/python tests/benchmarks/bench_evaluation.py
	$(BIN)/python tests/benchmarks/bench_pixels.py
	$(BIN)/python tests/benchmarks/bench_losses.py
	$(BIN)/python tests/benchmarks/bench_coordinator.py
	$(BIN)/python tests/benchmarks/bench_study.py
	$(BIN)/python tests/benchmarks/bench_study.py --frozen
	$(BIN)/python tests/benchmarks/bench_trunks.py
	$(BIN)/python tests/benchmarks/bench_growth.py

gpu: setup
	$(BIN)/python tests/gpu/measure_device.py --out docs/measured

clean:
	rm -rf .venv build studies/demo/ledger studies/demo/attempts studies/demo/cache studies/demo/manifests reports/demo
