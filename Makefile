# `make build`, `make demo` and `make test` do all of their own set-up; see docs/building.md.

# Arguments of the demo, for example ARGS="--prices DIR --from 2020-03-11 --to 2020-03-14".
ARGS ?=
# How long `make fuzz` runs.
SECONDS ?= 60

.PHONY: build
build: ## the program, its IDL and its TypeScript type, in target/
	@scripts/build.sh

.PHONY: demo
demo: build ## the clearing house from nothing to a liquidation, in Solana's machine in process
	cargo run --quiet --locked --package ballast-sim --bin demo -- $(ARGS)

.PHONY: check
check: ## formatting and lints
	@scripts/check.sh

.PHONY: test
test: ## all checks and tests
	@scripts/test.sh

.PHONY: fuzz
fuzz: ## the margin of arbitrary boards and accounts, and prices out of arbitrary bytes, for SECONDS each
	@scripts/fuzz.sh margin $(SECONDS)
	@scripts/fuzz.sh prices $(SECONDS)

.PHONY: anchor-build
anchor-build: ## the same as `make build`, by the Anchor command line, where that is installed
	@scripts/setup.sh && . scripts/path.sh && anchor build

.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST)
