# What a newcomer needs is `make demo`; what a contributor needs is `make test`.
# Everything is built in one profile and one set of features, so that demo and tests share their work.

SHELL := /bin/sh

# The build's products live in the user's cache folder: a second clone starts warm.
CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(if $(HOME),$(HOME)$(if $(filter Darwin,$(shell uname -s)),/Library/Caches,/.cache)))
export CARGO_TARGET_DIR ?= $(if $(CACHE),$(CACHE)/ephor/target,$(CURDIR)/target)
export PATH := $(if $(HOME),$(HOME)/.cargo/bin:)$(PATH)

# Queries are checked against the answers committed in .sqlx, never against a database that happens to run.
OFFLINE := env -u DATABASE_URL SQLX_OFFLINE=true

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-run demo build test test-full fmt lint doc bench sqlx sqlx-check deny

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building and testing need (nothing is done when all is there)
	@scripts/setup.sh test

setup-run:
	@scripts/setup.sh run

demo: setup-run build ## start Ephor with a demo organization on 127.0.0.1:8080
	@"$(CARGO_TARGET_DIR)/debug/ephor" demo

# A test beside the binary makes Cargo choose the features that the tests' own libraries ask for, too:
# else `make test` would build DataFusion and all else a second time.
build: setup-run
	@$(OFFLINE) cargo build --locked --workspace --bin ephor --test merkle

test: setup lint doc ## format, lints, documents, and every test
	@$(OFFLINE) cargo test --locked --workspace --doc --quiet
	@$(OFFLINE) cargo nextest run --locked --workspace --no-fail-fast

test-full: test deny sqlx-check ## the same with the long forms of the tests, licences and advisories
	@EPHOR_TEST_FULL=1 $(OFFLINE) cargo nextest run --locked --workspace --no-fail-fast --run-ignored all

lint: setup
	@cargo fmt --all -- --check
	@$(OFFLINE) cargo clippy --locked --workspace --all-targets --quiet -- -D warnings

# There are no examples; to name them makes Cargo choose the features that tests ask for, so that libraries are checked once.
doc: setup
	@$(OFFLINE) RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items --lib --bins --examples --quiet

fmt: ## format the sources
	@cargo fmt --all

# ONLY=fairness,rest measures these alone, OPTIONS='--rows 1000000' says how; `ephor-benches --help` lists both.
bench: setup-run ## measure Ephor beside its peers and print the table
	@scripts/peers.sh "$(CARGO_TARGET_DIR)/peers"
	@$(OFFLINE) cargo build --locked --release --workspace --bins
	@"$(CARGO_TARGET_DIR)/release/ephor-benches" --ephor "$(CARGO_TARGET_DIR)/release/ephor" \
		--python "$(CARGO_TARGET_DIR)/peers/bin/python" $(if $(ONLY),--only $(ONLY)) $(OPTIONS)

sqlx: setup-run ## check every query against a throw-away database and write .sqlx anew
	@scripts/sqlx.sh write

sqlx-check: setup-run
	@scripts/sqlx.sh check

deny: ## licences, advisories and sources of what Ephor is built from
	@command -v cargo-deny >/dev/null || { echo "+ cargo install --locked cargo-deny"; cargo install --locked cargo-deny; }
	@cargo deny --locked check
