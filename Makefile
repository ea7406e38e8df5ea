# Two commands do everything on a Debian 12 with rustup: `make demo` and `make test`. The rest: `make help`.
# Each recipe that compiles opens with .ci/ready, which installs what is missing.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test browser-test build lint clean

TARGET := $(or $(CARGO_TARGET_DIR),target)
ARGS :=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## build, bring in the sample course, answer a question, serve; ARGS="--no-serve" ends by itself
	@. .ci/ready && \
	cargo build --release --locked && \
	exec $(TARGET)/release/neverafk demo $(ARGS)

test: ## build and run every test; ARGS="name" runs those whose name holds it
	@. .ci/ready && \
	exec bash .ci/test $(ARGS)

browser-test: ## do what people do, in Chromium by Node, where both are here
	@. .ci/ready && \
	cargo build --release --locked && \
	exec bash .ci/browser

build: ## build target/release/neverafk
	@. .ci/ready && \
	cargo build --release --locked

lint: ## format, lints and documentation, as the continuous integration checks them
	@. .ci/ready && \
	cargo fmt --all --check && \
	cargo clippy --release --locked --all-targets -- -D warnings && \
	RUSTDOCFLAGS='-D warnings' cargo doc --release --locked --no-deps --document-private-items

clean: ## remove what was built
	rm -rf $(TARGET)
