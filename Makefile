# `make` lists the targets. Each one installs what it needs.
.DEFAULT_GOAL := help
.PHONY: help install build image lint test mutation fuzz run demo cluster soak generate manifests pictures site names release-rehearsal clean

NPM := npm --loglevel=error
NODE := node_modules/.bin/node

##@ Build

install: node_modules/.package-lock.json ## install Node 24 and the dependencies into node_modules
node_modules/.package-lock.json: package.json package-lock.json
	$(NPM) ci
	@touch $@

build: install ## make dist/jobguard.js, the one file that ships
	$(NPM) run build

image: ## build the container image jobguard
	docker build --build-arg REVISION=$$(git rev-parse HEAD) --tag jobguard .

clean: ## remove everything that was built and installed
	rm -rf dist coverage site/dist node_modules

##@ Check

lint: install ## check types, style and formatting
	$(NPM) run lint

test: install ## run every test layer that this machine can run
	$(NPM) test

mutation: install ## look for mistakes in the judgement that no test notices
	$(NPM) run mutation

fuzz: install ## look for updates and policies that are judged wrongly, for ten minutes
	$(NPM) run fuzz -- --minutes 10

soak: install ## run everything at once on a Kubernetes node for MINUTES=60; needs root
	@$(NODE) test/e2e/soak.ts --minutes $(or $(MINUTES),60)

##@ Try

run: install ## start the webhook, send it an allowed and a denied update, and say what to try next
	@$(NPM) --silent run build && $(NPM) --silent run example

demo: install ## start a Kubernetes with jobguard in it, and print eight commands to try
	@$(NPM) --silent run build && $(NODE) examples/demo.ts

cluster: install ## start a Kubernetes node with jobguard installed, keep it running; needs root
	@$(NODE) tools/node/main.ts

##@ Generate

generate: install ## generate the tables of Go types and of CRD defaults, the chart's README and its schema
	@table=$$(mktemp) && trap 'rm -f "$$table"' EXIT && \
	go run -C tools/go-types ./generate > "$$table" && cp "$$table" src/core/go-types.ts
	@table=$$(mktemp) && trap 'rm -f "$$table"' EXIT && \
	$(NODE) tools/crd-defaults/generate.ts > "$$table" && cp "$$table" src/kube/crd-defaults.ts
	$(NODE) charts/generate.ts

manifests: install ## render the chart into deploy/
	$(NODE) deploy/render.ts

pictures: install ## draw the pictures of the documentation
	$(NODE) tools/pictures/main.ts

site: install ## build the documentation with its playground into site/dist
	$(NPM) run site

##@ Release

names: install ## write the version of package.json and release/names.json wherever they are mentioned
	$(NODE) release/write-names.ts

release-rehearsal: install ## publish a release to registries on this machine, and install it from there
	@$(NPM) --silent run build && $(NODE) release/rehearsal/main.ts

##@ Help

help: ## list the targets
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-18s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
