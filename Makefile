# Everything that a newcomer runs. Each target sets up what it needs in .venv; nothing else is touched.
#
#   make demo        a bundled portrait and speech -> output/demo.mp4, output/demo_contact_sheet.jpg (ARGS="--portrait 2")
#   make test        all quick tests             make test-slow   the long ones
#   make test-newest, make test-lowest           the quick ones with other versions of the dependencies
#   make test-host   those inside ComfyUI        make host-setup  what the pack needs in ComfyUI's environment
#   make browser-setup  Chromium for the slow tests of ComfyUI's page (Debian, Ubuntu)
#   make test-tools  exiftool and an S3 server, which some slow tests use (Debian, Ubuntu)
#   make lint        ruff and pyright            make coverage    quick tests with a coverage report
#   make setup       only the environment        make demo-model  train the demo model from scratch
#   make bench       speed on this machine       make bench-gpu   all GPU figures (PYTHON_GPU: a Python with CUDA)
#
# Variables: PYTHON (3.10 or newer; also NEWEST_PYTHON and LOWEST_PYTHON), PIP_ARGS (for pip install), ARGS (for the command behind demo, demo-model,
# test and test-slow), GOLDENS (a folder of golden tensors for the parity tests), COMFYUI_PATH (a ComfyUI checkout)
# and COMFYUI_PYTHON (its interpreter): the host tests, part of `make test`, run where both exist and skip elsewhere.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=
GOLDENS ?=
COMFYUI_PATH ?= $(HOME)/comfy/ComfyUI
COMFYUI_PYTHON ?= $(COMFYUI_PATH)/.venv/bin/python

VENV := .venv
BIN := $(VENV)/bin
# Without an NVIDIA GPU the constraints choose the torch build that is tested on CPU; with one, pip takes the newest.
CONSTRAINTS := $(if $(shell command -v nvidia-smi 2>/dev/null),,-c constraints.txt)
# On a terminal pip shows its downloads; a log gets only what went wrong.
QUIET := $(if $(shell [ -t 2 ] && echo terminal),,--quiet)
PIP := $(BIN)/python -m pip --disable-pip-version-check install $(QUIET) $(CONSTRAINTS) $(PIP_ARGS)
PYTEST_ARGS := $(if $(GOLDENS),--goldens=$(GOLDENS))
PYTEST := $(BIN)/python -m pytest $(PYTEST_ARGS)
# PyAV 19 and librosa 1.0 need Python 3.12; the lowest versions have wheels for 3.10 to 3.12. Each run has an
# environment of its own. torch is the index's own build, on Linux the one for CUDA (several GB): the CPU build of
# constraints.txt exists for one version only. Tests of these runs use the CPU all the same.
NEWEST_PYTHON ?= $(PYTHON)
LOWEST_PYTHON ?= $(PYTHON)
# The host's modules, such as `nodes`, must not mix with ours: its tests have a process and an interpreter of their own.
HOST_PYTEST := MMGT_TEST_HOST=1 COMFYUI_PATH="$(COMFYUI_PATH)" "$(COMFYUI_PYTHON)" -P -m pytest -p no:cacheprovider tests/nodes
NO_HOST := test-host: no ComfyUI at $(COMFYUI_PATH), skipped; set COMFYUI_PATH

.PHONY: help setup host-setup browser-setup test-tools demo demo-model test bench bench-gpu test-newest test-lowest test-slow test-host test-host-slow coverage lint format clean

help:
	@sed -n '3,16s/^# \{0,1\}//p' Makefile

setup: $(VENV)/.dev

$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("mmgt needs Python 3.10 or newer; run: make PYTHON=python3.11 ..." if sys.version_info < (3, 10) else 0)'
	@echo "setup: installing mmgt into $(VENV) (a few minutes the first time; pip's cache makes later ones quick)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "setup: installing the test, training and lint tools into $(VENV)"
	@$(PIP) -e '.[test,train,eval,dev]'
	@touch $@

demo: $(VENV)/.base
	@$(BIN)/mmgt demo --out output/demo.mp4 $(ARGS)

demo-model: $(VENV)/.dev
	@$(BIN)/mmgt demo-model $(ARGS)

test: $(VENV)/.dev
	@$(PYTEST) -m "not slow" --durations 15 $(ARGS)
	@$(MAKE) --no-print-directory test-host

bench: $(VENV)/.dev
	@$(BIN)/python tests/benchmarks/stage1.py
	@$(BIN)/python tests/benchmarks/stage2.py
	@$(BIN)/python tests/benchmarks/whole.py

bench-gpu:  # any Python with the packages of requirements.txt and a CUDA build of PyTorch
	@PYTHONPATH=. $(or $(PYTHON_GPU),python) tests/benchmarks/gpu.py

test-newest: OTHER_PYTHON = $(NEWEST_PYTHON)
test-newest: OTHER_PIP = --upgrade --upgrade-strategy eager
test-lowest: OTHER_PYTHON = $(LOWEST_PYTHON)
test-lowest: OTHER_PIP = -c constraints-lowest.txt
test-newest test-lowest: test-%:
	@[ -x .venv-$*/bin/python ] || $(OTHER_PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip --disable-pip-version-check install $(QUIET) $(OTHER_PIP) $(PIP_ARGS) -e '.[test,train]'
	@.venv-$*/bin/python -m pip --disable-pip-version-check list
	@.venv-$*/bin/python -m pytest $(PYTEST_ARGS) -m "not slow" $(ARGS)

test-slow: $(VENV)/.dev
	@$(PYTEST) -m slow --durations 15 $(ARGS)
	@$(MAKE) --no-print-directory test-host-slow

host-setup:
	@"$(COMFYUI_PYTHON)" -m pip --disable-pip-version-check install $(QUIET) -r requirements.txt pytest diffusers onnx onnxruntime

browser-setup:
	@command -v chromedriver >/dev/null || { apt-get -qq update; apt-get -qq install --no-install-recommends chromium chromium-driver; }

test-tools: $(VENV)/.dev
	@command -v exiftool >/dev/null || { apt-get -qq update; apt-get -qq install --no-install-recommends libimage-exiftool-perl; }
	@$(PIP) s3fs 'moto[server]'

test-host:
	@if [ -x "$(COMFYUI_PYTHON)" ]; then $(HOST_PYTEST) -m "not slow" $(ARGS); else echo "$(NO_HOST)"; fi

test-host-slow:
	@if [ -x "$(COMFYUI_PYTHON)" ]; then $(HOST_PYTEST) -m slow $(ARGS); else echo "$(NO_HOST)"; fi

coverage: $(VENV)/.dev
	@$(PYTEST) -m "not slow" --cov --cov-report term:skip-covered --cov-fail-under 85 $(ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf output build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
