# make demo   the hub, a stand-in for an Auth0 tenant, and four apps, on this machine
# make cluster  the same with three nodes of the hub behind a balancer, on PostgreSQL
# make test   every test; installs what it needs
# make check  formatting, lints and types only
# make attack-papers  the count of attacks in the README, and docs/security.md
# make jepsen SEEDS=100  three nodes while everything around them breaks, with so many seeds
# make faults  one hub at work while one fault after the other is done to it; FAULTS_SEEDS=5 for more than two
# make faults-short  the same, each fault for a moment
# make specs EXAMPLES=500  is the hub as its OpenAPI documents say? so many requests an operation
# make specifications  the OpenAPI and AsyncAPI documents, put together
# make monitoring  the alert rules, held by promtool
# make package-checks  the Dockerfile, the systemd unit and the workflows
# make try-image  what the Dockerfile says, without Docker (as root)
# make deny   licences, sources and bans of what is compiled in; ADVISORIES=yes: known vulnerabilities, from GitHub
# make sdk    the packages @slo-hub/client and @slo-hub/node, in target/sdk
# make sbom   what is in it, as CycloneDX, in target/sbom
# make sabotage  the hub broken on purpose, in more than thirty ways: is each of them noticed?
# make fuzz FUZZ_SECONDS=600  what strangers send, led by coverage; fuzz-keep keeps what was found
# make autobahn  WebSocket conformance, and docs/websocket-conformance.md
# make bench  what a socket and a logout cost
# make bench-nodes  what several nodes on one PostgreSQL hold
# make bench-peers  the same of what one would use instead of a hub

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export CARGO_TERM_PROGRESS_WHEN := never

.PHONY: help demo cluster test jepsen faults faults-short fault-papers check bench bench-peers bench-nodes sabotage monitoring picture pages tools e2e-tools \
        attack-papers package-checks try-image deny sdk sbom fuzz fuzz-keep autobahn specs specifications

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
	@scripts/need strace cargo-nextest postgresql redis-server promtool autobahn libfaketime schemathesis
	scripts/check-monitoring
	scripts/nextest run
	scripts/autobahn
	scripts/with-postgres scripts/nextest run -E 'binary(it) or test(store::)'
	scripts/with-postgres cargo test --quiet --lib -- --ignored store::tests::nodes
	scripts/beside '$(MAKE) --no-print-directory jepsen' '$(MAKE) --no-print-directory faults-short' '$(MAKE) --no-print-directory specs'
	cargo build --quiet
	$(MAKE) --no-print-directory package-checks
	npm --prefix client-sdk test
	scripts/npm-ready tests/e2e
	scripts/npm-native demo-apps && npm --prefix demo-apps run --silent build
	npm --prefix tests/e2e test

# One seed again: SLO_HUB_SEED=7 make jepsen
SEEDS ?= 10
jepsen: tools
	@scripts/need postgresql libfaketime
	SLO_HUB_SEEDS=$(SEEDS) cargo test --quiet --test cluster -- --ignored --nocapture three_nodes

# One seed again: SLO_HUB_SEED=7 make faults. Some of them: FAULTS_ONLY=keys make faults-short
FAULTS_SEEDS ?= 2
faults: tools
	@scripts/need strace libfaketime
	FAULTS_SEEDS=$(FAULTS_SEEDS) cargo test --quiet --test faults -- --ignored --nocapture every_fault_and_nothing_is_lost

faults-short: tools
	@scripts/need strace libfaketime
	cargo test --quiet --test faults -- --ignored --nocapture every_fault_for_a_moment

# The table in docs/faults.md, made from tests/faults/table.rs.
fault-papers: tools
	WRITE_FAULT_PAPERS=1 cargo test --quiet --test faults papers

# Others than each time: make specs EXAMPLES=500 SEED=7
EXAMPLES ?= 50
SEED ?= 1
specs: tools
	@scripts/need schemathesis
	SLO_HUB_EXAMPLES=$(EXAMPLES) SLO_HUB_SEED=$(SEED) cargo test --quiet --test it -- --ignored --nocapture answers_as_its_documents_say

# From src/http/specifications. A test says when they are not what is written there.
specifications: tools
	WRITE_SPECIFICATIONS=1 cargo test --quiet --test it documents_are_those_that_are_written

monitoring:
	@scripts/need promtool
	scripts/check-monitoring

# Some of them: SLO_HUB_WAYS=any-secret,nonce-does-not-matter make sabotage
sabotage: tools
	cargo test --quiet --test sabotage -- --ignored --nocapture

# The changes that `make test` plays are other ones each time; the same again, and more of
# them: SLO_HUB_FUZZ_SEED=7 SLO_HUB_FUZZ_RUNS=100000 cargo test --lib fuzzing::
FUZZ_SECONDS ?= 600
fuzz: tools
	@scripts/need c++ cargo-fuzz
	scripts/fuzz $(FUZZ_SECONDS)

fuzz-keep: tools
	@scripts/need c++ cargo-fuzz
	scripts/fuzz --keep

autobahn: tools
	@scripts/need autobahn
	scripts/autobahn --write

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
	cargo build --quiet && node tests/e2e/pages.mjs target/pages && node tests/e2e/sessions.mjs target/pages && node tests/e2e/console.mjs target/pages

# The README's count of attacks and docs/security.md, made from tests/attacks.
attack-papers: tools
	WRITE_ATTACK_PAPERS=1 cargo test --quiet --test it attacks::papers

# Twenty seconds once the program is built.
package-checks: tools
	@scripts/need package-linters systemd-analyze strace
	cargo build --quiet
	packaging/check

# ARGS=--release: exactly as it is written.
try-image: tools
	@scripts/need readelf
	packaging/try-dockerfile.mjs $(ARGS)

# The advisories are a repository on GitHub: what cannot reach it asks for the rest.
ADVISORIES ?= no
deny: tools
	@scripts/need cargo-deny cargo-machete
	PATH="$$PWD/target/tools/cargo-deny/bin:$$PATH" cargo deny --all-features check --hide-inclusion-graph licenses bans sources \
	  $(if $(filter yes,$(ADVISORIES)),advisories)
	target/tools/cargo-machete/bin/cargo-machete

sdk: tools
	packaging/sdk

sbom: tools
	@scripts/need cargo-cyclonedx
	packaging/sbom
