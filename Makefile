# `make` lists the targets. Each one installs what it needs.
.DEFAULT_GOAL := help
.PHONY: help install build lint test run generate clean

NPM := npm --loglevel=error

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

install: node_modules/.package-lock.json ## install Node 24 and the dependencies into node_modules
node_modules/.package-lock.json: package.json package-lock.json
	$(NPM) ci
	@touch $@

build: install ## make dist/jobguard.js, the one file that ships
	$(NPM) run build

lint: install ## check types, style and formatting
	$(NPM) run lint

test: install ## run every test, on a real kube-apiserver too
	$(NPM) test

run: install ## start the webhook, send it an allowed and a refused update, go on serving
	@$(NPM) --silent run build && $(NPM) --silent run example

generate: install ## write src/core/go-types.ts anew from the operator's Go types
	go run -C test/support/go-types ./generate > src/core/go-types.ts

clean: ## remove what was built and installed here
	rm -rf dist coverage node_modules
