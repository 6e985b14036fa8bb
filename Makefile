# Every developer action under one name; `make help` lists them.

PREFIX ?= /usr/local
PYTHON ?= .venv/bin/python
BENCH_PYTHON ?= $(PYTHON)
SWIFT_FILES := Package.swift Sources Tests
CONFIG ?= configs/ours.json
RUN ?= runs/ours
SLICES ?= 1000000
EVENTS ?= 10000000

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-training demo picture build static test test-faults test-browser soak ledger-scale test-training lint format bench train samples samples-check sanitize fuzz install clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

setup: ## install what is missing: Debian packages, .venv for the tests
	@scripts/setup.sh

setup-training: setup ## PyTorch for CPUs into .venv (about 200 MB), for training and its tests
	@$(PYTHON) -c 'import torch' 2>/dev/null || { \
	  $(PYTHON) -m pip install filelock fsspec jinja2 networkx "setuptools>=77.0.3" sympy typing-extensions && \
	  $(PYTHON) -m pip install --index-url https://download.pytorch.org/whl/cpu torch; }

demo: ## set up, build in release, run over the sample studies in demo/
	@scripts/setup.sh build
	swift build -c release --product fuseline
	@scripts/demo.sh

picture: ## draw docs/images/demo.png of what the last demo made
	@scripts/setup.sh
	@mkdir -p docs/images
	$(PYTHON) scripts/contact_sheet.py demo docs/images/demo.png

build: ## build in release
	@scripts/setup.sh build
	swift build -c release --product fuseline

test: setup lint ## set up, lint and run all tests
	@$(PYTHON) -m pytest -q sample-studies/tests
	@! $(PYTHON) -c 'import torch' 2>/dev/null || $(PYTHON) -m pytest -q Training
	@$(PYTHON) Tests/Instructions/run.py
	@scripts/test.sh

test-faults: build setup ## kill and stop it at every fault point, fail and cut the power at every call that changes a file
	FUSELINE_FAULT_MATRIX=1 swift test --disable-xctest --filter 'FaultTests|StopTests'
	$(PYTHON) Tests/Faults/inject.py

soak: build setup ## the watcher under kills, full disks and clock jumps: make soak MINUTES=60 [SEED=2] [PACE=3]
	$(PYTHON) Tests/Soak/soak.py --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) --pace $(or $(PACE),1)

ledger-scale: build ## fill a ledger (SLICES=… EVENTS=…) below /tmp, verify it and time the questions of audit
	$(PYTHON) Tests/ProvenanceTests/Judge/ask_ledger.py .build/release/fuseline --slices $(SLICES) --events $(EVENTS)

test-browser: setup ## install Chromium, then drive the reports in it: keys, views, labels, contrast, smoothness
	@scripts/setup.sh browser
	swift test --disable-xctest --filter ReportTests

test-training: setup ## tests of the PyTorch twin (needs PyTorch in .venv)
	@$(PYTHON) -c 'import torch' 2>/dev/null || \
	  { echo "test-training: needs PyTorch: make setup-training" >&2; exit 69; }
	$(PYTHON) -m pytest -q Training

lint: ## check the formatting of all Swift files
	swift format lint --strict --recursive $(SWIFT_FILES)

format: ## format all Swift files
	swift format --in-place --recursive $(SWIFT_FILES)

static: # what is installed: one program with its Swift runtime inside
	@scripts/setup.sh build
	swift build -c release --product fuseline --static-swift-stdlib --scratch-path .build/static

bench: static ## measure Fuseline beside its peers (those of Benchmarks/requirements.txt that are installed)
	$(BENCH_PYTHON) Benchmarks/bench.py --program .build/static/release/fuseline --out docs/benchmarks

train: setup ## train the network: make train DATA=folder-of-pairs [CONFIG=… RUN=…] (needs PyTorch)
	@test -n "$(DATA)" || { echo "train: say DATA=folder with CT-MRI, PET-MRI and SPECT-MRI" >&2; exit 64; }
	cd Training && $(abspath $(PYTHON)) -m bsafusion.train $(CONFIG) --data $(abspath $(DATA)) --run $(abspath $(RUN))

samples: setup ## make the sample studies anew
	$(PYTHON) sample-studies/generate.py
	$(PYTHON) sample-studies/validate.py

samples-check: setup ## compare the sample studies with their generator, and ask dciodvfy and dcentvfy about them
	$(PYTHON) sample-studies/validate.py
	$(PYTHON) sample-studies/generate.py --check

sanitize: setup ## DICOM reading, whole files and damaged ones, then all tests, under sanitizers
	ROUNDS=20 Tests/Sanitize/run $(patsubst sample-studies/truth/%.json,sample-studies/%,$(wildcard sample-studies/truth/*.json))
	Tests/Sanitize/run
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/Sanitize/leaks.supp \
	  swift test --disable-xctest --sanitize=address --scratch-path .build/address

fuzz: setup ## fuzz DICOM reading for SECONDS (default 60), from Tests/Fuzzing/corpus
	Tests/Fuzzing/run $(or $(SECONDS),60)

install: static ## build with a static Swift runtime and install below PREFIX (and DESTDIR)
	scripts/install.sh .build/static/release/fuseline "$(DESTDIR)$(PREFIX)"

clean: ## remove everything built, and the demo
	rm -rf .build demo
