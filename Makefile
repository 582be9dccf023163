# make demo   the hub, a stand-in for an Auth0 tenant, and four apps, on this machine
# make cluster  the same with three nodes of the hub behind a balancer, on PostgreSQL
# make test   every test; installs what it needs
# make check  formatting, lints and types only
# make attack-papers  the count of attacks in the README, and docs/security.md
# make jepsen SEEDS=100  three nodes while everything around them breaks, with so many seeds
# make specs EXAMPLES=500  is the hub as its OpenAPI documents say? so many requests an operation
# make specifications  the OpenAPI and AsyncAPI documents, put together
# make sabotage  the hub broken on purpose, in thirty ways: is each of them noticed?
# make bench  what a socket and a logout cost
# make bench-nodes  what several nodes on one PostgreSQL hold
# make bench-peers  the same of what one would use instead of a hub

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export CARGO_TERM_PROGRESS_WHEN := never

.PHONY: help demo cluster test jepsen check bench bench-peers bench-nodes sabotage specs specifications picture pages tools e2e-tools attack-papers

help:
	@grep '^# make' Makefile | sed 's/^# //'

# What the other targets need, installed where it is missing.
tools:
	@scripts/need cargo node npm

e2e-tools: tools
	@scripts/need chromium

demo: tools
	@exec node demo-apps/demo.mjs

cluster: tools
	@scripts/need postgresql
	@POSTGRES_OPTIONS='-c fsync=on' scripts/with-postgres node demo-apps/demo.mjs --cluster

check: tools
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --document-private-items --quiet
	scripts/npm-ready client-sdk && npm --prefix client-sdk run --silent check
	scripts/npm-ready demo-apps && npm --prefix demo-apps run --silent check

test: e2e-tools check
	@scripts/need strace cargo-nextest postgresql redis-server
	scripts/nextest run
	scripts/with-postgres scripts/nextest run -E 'binary(it) or test(store::)'
	scripts/with-postgres cargo test --quiet --lib -- --ignored store::tests::nodes
	$(MAKE) --no-print-directory jepsen
	$(MAKE) --no-print-directory specs
	cargo build --quiet
	npm --prefix client-sdk test
	scripts/npm-ready tests/e2e
	scripts/npm-native demo-apps && npm --prefix demo-apps run --silent build
	npm --prefix tests/e2e test

# One seed again: SLO_HUB_SEED=7 make jepsen
SEEDS ?= 10
jepsen: tools
	@scripts/need postgresql libfaketime
	SLO_HUB_SEEDS=$(SEEDS) cargo test --quiet --test cluster -- --ignored --nocapture three_nodes

# Others than each time: make specs EXAMPLES=500 SEED=7
EXAMPLES ?= 50
SEED ?= 1
specs: tools
	@scripts/need schemathesis
	SLO_HUB_EXAMPLES=$(EXAMPLES) SLO_HUB_SEED=$(SEED) cargo test --quiet --test it -- --ignored --nocapture answers_as_its_documents_say

# From src/http/specifications. A test says when they are not what is written there.
specifications: tools
	WRITE_SPECIFICATIONS=1 cargo test --quiet --test it documents_are_those_that_are_written

# Some of them: SLO_HUB_WAYS=any-secret,nonce-does-not-matter make sabotage
sabotage: tools
	cargo test --quiet --test sabotage -- --ignored --nocapture

# More than this: cargo bench --bench load -- --help
bench: tools
	@scripts/need strace
	cargo bench --quiet --bench load

bench-nodes: tools
	@scripts/need postgresql
	POSTGRES_OPTIONS='-c fsync=on' scripts/with-postgres cargo bench --quiet --bench nodes

# What cannot be had here is left out, by name.
bench-peers: tools
	@scripts/need nchan nats-server mosquitto sockudo
	@scripts/npm-ready benches/peers || echo "Without the servers on Node, then." >&2
	cargo bench --quiet --bench load -- --peers $(ARGS)

picture: e2e-tools
	scripts/npm-ready tests/e2e && node tests/e2e/picture.mjs

# Pictures of the hub's own pages in every state, to be looked at.
pages: e2e-tools
	scripts/npm-ready tests/e2e
	cargo build --quiet && node tests/e2e/pages.mjs target/pages && node tests/e2e/sessions.mjs target/pages

# The README's count of attacks and docs/security.md, made from tests/attacks.
attack-papers: tools
	WRITE_ATTACK_PAPERS=1 cargo test --quiet --test it attacks::papers
