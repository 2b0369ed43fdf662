# firn: `make` alone lists what can be made.

GO        ?= go
PREFIX    ?= /usr/local
DESTDIR   ?=
FUZZTIME  ?= 10s
BENCHRUNS ?= 20
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# Where downloads and root file systems that take long to make are kept.
export FIRN_CACHE ?= $(HOME)/.cache/firn

# runc_nocriu leaves checkpointing out; netgo and osusergo keep libc's resolver
# and NSS, which cannot be linked statically, out of the shim.
TAGS     := runc_nocriu,netgo,osusergo
TESTTAGS := $(TAGS),root,vm
LDFLAGS  := -s -w -X main.version=$(VERSION) -X firn/shim/internal/cli.Version=$(VERSION)

# Packages whose sources are ours; vendor/ is others'.
SOURCES := init shim kmod devnodes cgroups tests

# Root is needed for namespaces and mounts. As a user, go builds as the user and
# sudo runs what was built.
ifneq ($(shell id -u),0)
SUDO := sudo -E
EXEC := -exec "$(SUDO)"
endif

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: packages-build ## build bin/firn, bin/firn-init and bin/firn-kmod, all static
	CGO_ENABLED=1 $(GO) build -tags $(TAGS) -trimpath -ldflags '$(LDFLAGS) -extldflags -static' -o bin/firn ./shim
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/firn-init ./init
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/firn-kmod ./kmod/cmd/firn-kmod

.PHONY: demo
demo: packages-demo build ## start, show, enter and halt a NixOS-shaped container
	@$(GO) build -o bin/firn-demo ./tests/demo
	@$(SUDO) bin/firn-demo

.PHONY: test
test: test-unit test-script test-root test-vm ## all four rungs of tests

.PHONY: test-unit
test-unit: packages-build packages-unit ## rung 1: pure parts, and parts that ask for little
	$(GO) test -tags $(TAGS) $$($(GO) list -tags $(TAGS) ./... | grep -v '^firn/tests/script$$')

.PHONY: test-script
test-script: build ## rung 2: the command lines of the built programs
	$(GO) test -tags $(TAGS) -count=1 $(EXEC) ./tests/script/...

.PHONY: test-root
test-root: packages-root build ## rung 3: real namespaces, cgroups and systems
	$(GO) test -tags $(TAGS),root -count=1 -timeout 20m $(EXEC) ./tests/root/... ./tests/host/...

.PHONY: test-vm
test-vm: packages-vm build ## rung 4: other kernels and a systemd host, in QEMU
	$(GO) test -tags $(TAGS),vm -count=1 -timeout 20m $(EXEC) ./tests/vm/...

.PHONY: check
check: packages-build ## format, vet, staticcheck, import table, vendor/
	@tests/check.sh '$(TAGS)' '$(TESTTAGS)' $(SOURCES)

.PHONY: fuzz
fuzz: packages-build ## run every fuzz target for FUZZTIME (10s)
	@tests/fuzz.sh '$(TAGS)' '$(FUZZTIME)'

.PHONY: bench
bench: packages-bench build ## start, stop and memory beside runc and systemd-nspawn
	@$(GO) build -o bin/firn-bench ./tests/bench
	@$(SUDO) bin/firn-bench -runs $(BENCHRUNS)

.PHONY: install
install: ## install into DESTDIR and PREFIX what build has made
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 0755 bin/firn bin/firn-init bin/firn-kmod '$(DESTDIR)$(PREFIX)/bin/'
	@for page in man/*.[1-9]; do \
		[ -e "$$page" ] || continue; \
		dir='$(DESTDIR)$(PREFIX)/share/man'/man$${page##*.}; \
		install -d "$$dir" && install -m 0644 "$$page" "$$dir/"; \
	done
	install -d '$(DESTDIR)$(PREFIX)/share/bash-completion/completions' \
		'$(DESTDIR)$(PREFIX)/share/zsh/site-functions' \
		'$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d'
	bin/firn completion bash >'$(DESTDIR)$(PREFIX)/share/bash-completion/completions/firn'
	bin/firn completion zsh >'$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_firn'
	bin/firn completion fish >'$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/firn.fish'
	@for file in completions/*.bash; do \
		name=$${file##*/}; \
		install -m 0644 "$$file" '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/'"$${name%.bash}"; \
	done

.PHONY: install-links
install-links: install ## as install, and take the names systemd-nspawn and kmod's
	ln -sf firn '$(DESTDIR)$(PREFIX)/bin/systemd-nspawn'
	@for name in modprobe insmod rmmod lsmod modinfo depmod; do \
		ln -sf firn-kmod '$(DESTDIR)$(PREFIX)/bin/'$$name; \
		ln -sf firn-kmod '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/'$$name; \
	done

.PHONY: clean
clean: ## remove bin/
	rm -rf bin

PACKAGE_GROUPS := build demo unit root vm bench
.PHONY: $(addprefix packages-,$(PACKAGE_GROUPS))
$(addprefix packages-,$(PACKAGE_GROUPS)): packages-%:
	@tests/install-packages.sh $*
