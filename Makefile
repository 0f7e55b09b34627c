# `make` lists the targets. Each one installs what it needs.
.DEFAULT_GOAL := help
.PHONY: help install build image lint test run demo cluster generate manifests clean

NPM := npm --loglevel=error
NODE := node_modules/.bin/node

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

install: node_modules/.package-lock.json ## install Node 24 and the dependencies into node_modules
node_modules/.package-lock.json: package.json package-lock.json
	$(NPM) ci
	@touch $@

build: install ## make dist/jobguard.js, the one file that ships
	$(NPM) run build

image: ## build the container image jobguard
	docker build --build-arg REVISION=$$(git rev-parse HEAD) --tag jobguard .

lint: install ## check types, style and formatting
	$(NPM) run lint

test: install ## run every test, on a real kube-apiserver too
	$(NPM) test

run: install ## start the webhook, send it an allowed and a refused update, go on serving
	@$(NPM) --silent run build && $(NPM) --silent run example

demo: install ## start a Kubernetes with jobguard in it, change two jobs through kubectl, leave it to you
	@$(NPM) --silent run build && $(NODE) examples/demo.ts

cluster: install ## start a Kubernetes node with jobguard installed, and leave it to you; takes root
	@$(NODE) tools/node/main.ts

generate: install ## write anew what is generated: the table of Go types, the chart's README and schema
	go run -C tools/go-types ./generate > src/core/go-types.ts
	$(NODE) charts/generate.ts

manifests: install ## render the chart into deploy/
	$(NODE) deploy/render.ts

clean: ## remove what was built and installed here
	rm -rf dist coverage node_modules
