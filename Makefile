# What a person types; meson and ninja do the work. `make help` lists it.

BUILD  ?= build
PREFIX ?= /usr/local
# seconds: of each fuzz target, and of the soak
FUZZ_TIME ?= 60
SOAK_TIME ?= 600

.DEFAULT_GOAL := all
.PHONY: all build demo test bench fuzz soak install clean help

all: build ## build into build/ (installs what is missing first, with apt)

build:
	@scripts/bootstrap build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	@ninja -C $(BUILD)

demo: ## two hosts, three bad links, one tunnel: the experiment of 2011 beaten, in two minutes
	@scripts/bootstrap build lab
	@$(MAKE) --no-print-directory build
	@python3 lab/demo.py --build $(BUILD)

test: ## everything that a change must pass; ends with "N passed, N failed, N skipped"
	@scripts/bootstrap build test
	@python3 tests/run.py

bench: ## throughput, latency, CPU and memory, beside OpenVPN, wireguard-go and the recipe
	@scripts/bootstrap build bench
	@$(MAKE) --no-print-directory build
	@python3 tests/bench/bench.py --build $(BUILD)

fuzz: ## every fuzz target with libFuzzer, FUZZ_TIME seconds each
	@scripts/bootstrap build fuzz
	@test -f build-fuzz/build.ninja || CC=clang meson setup build-fuzz -Dfuzz=true
	@ninja -C build-fuzz
	@python3 tests/fuzz/run.py --build build-fuzz --seconds $(FUZZ_TIME)

soak: ## the long tests: SOAK_TIME seconds of lab, many simulation seeds
	@scripts/bootstrap build lab
	@$(MAKE) --no-print-directory build
	@python3 tests/run.py --soak $(SOAK_TIME)

install: build ## install to PREFIX (/usr/local); DESTDIR is honoured
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@meson install -C $(BUILD)

clean: ## remove everything that was built
	rm -rf build build-asan build-clang build-fuzz

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10
