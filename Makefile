# Lintas. `make help` lists what there is.
SHELL   := /bin/bash
GO      ?= go
PREFIX  ?= /usr/local
DESTDIR ?=
ONCE    ?=
DIR     ?=
COUNT   ?= 5

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
STAMP   := -X lintas/agent/command.Release=$(VERSION) -X lintas/agent/command.Commit=$(COMMIT)
BUILD   := $(GO) build -trimpath -buildvcs=false -ldflags "-s -w $(STAMP)"
TEST    := $(GO) test -race -shuffle=on -timeout 20m

.DEFAULT_GOAL := build
.PHONY: build test race crash storm lint bench demo vm install setup clean bench-ocr train help FORCE

build: bin/lintas bin/lintas-hub ## build lintas and lintas-hub into bin/

bin/lintas: FORCE
	$(BUILD) -o $@ ./agent

bin/lintas-hub: FORCE
	$(BUILD) -o $@ ./agent/hub/lintas-hub

bin/lintas-demo: FORCE
	$(BUILD) -o $@ ./agent/demo

demo: build bin/lintas-demo ## run everything on invented travellers; ONCE=1: once, then a table; DIR=path: keep it there
	@bash configs/ci/setup.sh fonts-ocr-b
	./bin/lintas-demo $(if $(ONCE),-once) $(if $(DIR),-dir '$(DIR)')

test: setup ## install what the tests need, then run them all
	$(TEST) ./...

race: setup ## run the tests COUNT times over, to find races and chance
	$(TEST) -count=$(COUNT) ./...

vm: ## plug scanners into a virtual machine's USB and pull them out (QEMU, Debian's kernel)
	@bash configs/ci/setup.sh qemu-system-x86:qemu-system-x86_64 busybox-static:busybox
	@GO='$(GO)' bash configs/ci/vm.sh

SEED ?= 0
crash: ## simulate 20,000 power cuts and a fault at every write; SEED=n repeats a run
	$(GO) test ./queue/sqlite -run 'TestPowerCut|TestMutants|TestFaults|TestFlippedBits' -v -crash.images=20000 -crash.seed=$(SEED)

STORM ?= 8
storm: setup ## kill agent, hub and broker in every combination, three times STORM times
	$(GO) test ./agent/e2e -run 'TestKill' -v -timeout 60m -storm=$(STORM)

lint: ## gofmt, vet, staticcheck, tidy modules, known vulnerabilities
	@out=$$(gofmt -l agent devices mrz queue configs); test -z "$$out" || { echo "not gofmt-ed:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	@bash configs/ci/vulncheck.sh

bench: ## print the benchmarks
	$(GO) test -p 1 -run '^$$' -bench . -benchmem ./...

# The Debian packages that the tests use. Root installs them; others are told.
PACKAGES := mosquitto chromium fonts-liberation fonts-ocr-b postgresql prometheus:promtool nodejs:node npm
setup:
	@bash configs/ci/setup.sh $(PACKAGES)

train: setup ## print specimens in OCR-B and train the reader of pictures on them; half an hour on two cores
	nice -n 15 $(GO) run ./mrz/ocr/train

bench-ocr: setup ## tell how well pictures are read, by kind of wear, beside Tesseract, and what a page costs; SEED=n
	nice -n 10 $(GO) run ./mrz/ocr/accuracy -seed $(SEED) -tesseract
	nice -n 10 $(GO) test ./devices/page -run '^$$' -bench Page -benchtime 40x

install: build ## put binary, unit, configuration and udev rules in place (DESTDIR, PREFIX)
	install -D -m 755 bin/lintas '$(DESTDIR)$(PREFIX)/bin/lintas'
	install -d -m 755 '$(DESTDIR)/etc/lintas'
	test -e '$(DESTDIR)/etc/lintas/lintas.toml' || install -m 644 configs/lintas.toml '$(DESTDIR)/etc/lintas/lintas.toml'
	install -D -m 644 configs/lintas.service '$(DESTDIR)/usr/lib/systemd/system/lintas.service'
	sed -i 's|/usr/local/bin/lintas|$(PREFIX)/bin/lintas|' '$(DESTDIR)/usr/lib/systemd/system/lintas.service'
	install -D -m 644 configs/lintas-unseal.service '$(DESTDIR)/usr/lib/systemd/system/lintas-unseal.service'
	install -D -m 644 configs/lintas.sysusers '$(DESTDIR)/usr/lib/sysusers.d/lintas.conf'
	install -D -m 644 configs/60-lintas.rules '$(DESTDIR)/usr/lib/udev/rules.d/60-lintas.rules'
	install -D -m 644 configs/dropin/tpm.conf '$(DESTDIR)$(PREFIX)/share/doc/lintas/dropin/tpm.conf'
	install -D -m 644 configs/dropin/broker-only.conf '$(DESTDIR)$(PREFIX)/share/doc/lintas/dropin/broker-only.conf'
	for f in lintas-hub-list.service lintas-hub-list.timer lintas-hub.sysusers; do install -D -m 644 configs/$$f '$(DESTDIR)$(PREFIX)/share/doc/lintas/hub/'$$f; done
	@test -n '$(DESTDIR)' || echo 'next: systemd-sysusers && udevadm control --reload && udevadm trigger && systemctl daemon-reload; edit /etc/lintas/lintas.toml; systemctl enable --now lintas'

clean: ## remove what was built
	rm -rf bin

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r t h; do printf '  make %-8s %s\n' "$$t" "$$h"; done
