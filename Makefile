# `make build`, `make demo` and `make test` do all of their own set-up; see docs/building.md.

ARGS ?=

.PHONY: build
build: ## the program, its IDL and its TypeScript type
	scripts/build.sh
