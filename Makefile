PREFIX ?= /usr/local
KILLS ?= 100
AWAY ?= 100
FUZZ ?= 20
SOAK ?= 10m
GO := $(shell PATH="$$PATH:/usr/local/go/bin" command -v go)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.PHONY: help build install check test matrix beyond survivors clients trials kills away left fuzz corpus soak outdated try bench demo clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build ./lxd-allowlist
	@[ -n "$(GO)" ] || { echo "no go in PATH or /usr/local/go/bin: install it from https://go.dev/dl" >&2; exit 1; }
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o lxd-allowlist .

install: build ## install it, its man page and its completions below PREFIX (/usr/local)
	install -D -m 755 lxd-allowlist "$(DESTDIR)$(PREFIX)/bin/lxd-allowlist"
	@for file in $(INSTALLED); do \
		into="$(DESTDIR)$(PREFIX)/share/$${file%:*}"; \
		install -d "$${into%/*}" && ./lxd-allowlist $$(echo "$${file#*:}" | tr , ' ') > "$$into" && chmod 644 "$$into" && echo "installed $$into" || exit 1; \
	done

# What is installed beside the program below share, and what of it prints that.
INSTALLED := man/man1/lxd-allowlist.1:man \
	bash-completion/completions/lxd-allowlist:completion,bash \
	zsh/site-functions/_lxd-allowlist:completion,zsh \
	fish/vendor_completions.d/lxd-allowlist.fish:completion,fish

check: ## run the checks and the tests that need neither LXD nor root
	@.ci/check

test: ## run every check and test; needs root for an LXD of its own
	@.ci/test

matrix: ## prove the formats with the software of four Debian releases; needs root
	@.ci/matrix

beyond: ## run the proofs with software that make test can't install; needs root and npm
	@.ci/beyond

survivors: ## break lines on purpose and report what no test notices
	@.ci/survivors

clients: ## try enforcement with systemd-resolved and nscd; needs root, builds a container
	@.ci/clients

trials: ## find the seven names of 40 that a command needs, and its either-or, in an instance that is put back; needs root
	@.ci/test -tags trials -count 1 -v -run MinimizeForty ./ui/cli

kills: ## kill record, verify, minimize and the screen at KILLS (100) random instants each; needs root
	@.ci/test -count 1 -v -timeout 0 -run KilledAnywhere ./ui/cli ./ui/e2e -kills $(KILLS)

away: ## kill, stop, restart and freeze LXD at AWAY (100) random instants of a call; needs root
	@.ci/test -count 1 -v -timeout 0 -run LXDAwayAnywhere ./ui/e2e -away $(AWAY)

left: ## say what killed runs have left on this host and in its LXD; needs root
	@.ci/left

fuzz: ## fuzz each target for FUZZ (20) seconds
	@.ci/fuzz $(FUZZ)

corpus: ## pick inputs that fuzzing found and that reach new code, for plain go test to run
	@.ci/corpus

soak: ## follow a log of 200,000 domains for SOAK (10m), 2,000 queries a second; then a dnsmasq's on the screen, 1,000
	@$(GO) test -count 1 -v -timeout 0 -p 1 -run Soak ./capture/logfile ./ui/e2e -soak $(SOAK)

outdated: ## say which modules have a newer version
	@.ci/outdated

try: ## set up what is missing and watch an instance's names
	@.ci/try

bench: ## print where it stands beside grep, tmux and LXD alone (MIB=64 QUERIES=1e5: quickly); needs root
	@.ci/bench

demo: build ## record demo.gif and the stills from demo.tape; needs vhs
	@.ci/demo

clean: ## remove what was built here
	rm -f lxd-allowlist
	rm -rf .cache
