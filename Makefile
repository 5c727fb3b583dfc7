# pgbastion: build, test, install. `make test` on a fresh clone is all a continuous integration needs.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_ROUNDS ?= 200000
SEEDS ?= 5000
ROUNDS ?= 5
EXAMPLES ?= 20
# Set SEED to run one seed of the simulator again.
SEED ?=

# The backtracer can hang on a crash and hold the pipe for minutes.
export SWIFT_BACKTRACE = enable=no

PACKAGES = libpq-dev libsqlite3-dev libyaml-dev libarchive-dev postgresql postgresql-contrib pkg-config zlib1g-dev \
	jq curl procps iproute2 iputils-ping tcpdump util-linux openssl \
	zsh fish groff-base prometheus chromium python3 python3-venv openssh-server openssh-client netcat-openbsd iptables binutils
AS_ROOT = $(shell [ "$$(id -u)" = 0 ] || echo sudo)
INSTALL_BUILD = .build/install
# What is shipped: one static binary. A program that loads no plugins exports nothing, which saves start time and a tenth of its size.
SHIPPED = -c release --product pgbastion --static-swift-stdlib --scratch-path $(INSTALL_BUILD) \
	-Xswiftc -Xfrontend -Xswiftc -function-sections -Xlinker --no-export-dynamic -Xlinker --icf=safe

.PHONY: help setup build demo test lint format docs simulate fuzz bench bench-backup bench-cli conformance runbooks guide install clean

help:
	@echo "make setup      install the Debian packages that are missing"
	@echo "make build      build everything, tests included (debug)"
	@echo "make test       setup, build, every test"
	@echo "make demo       a three-node cluster on this machine, shown step by step"
	@echo "make lint       check the format of the source; make format repairs it"
	@echo "make docs       write the generated reference, manual pages and completions anew"
	@echo "make simulate   whole clusters under faults: SEEDS=5000, or SEED=n for one"
	@echo "make fuzz       damaged input, FUZZ_ROUNDS=200000 per test"
	@echo "make bench      the benchmarks; make bench-backup: backups beside the guide's script; make bench-cli: the client"
	@echo "make guide      every bash block of the operations guide as written, on machines made of namespaces (as root)"
	@echo "make runbooks   every runbook's cases: simulated, then on throw-away clusters of real daemons and servers"
	@echo "make conformance  schemathesis against the API: EXAMPLES=20 per operation"
	@echo "make install    release build into PREFIX=/usr/local, with unit, user, manual pages and completions"
	@echo "make clean      remove what was built"

# Idempotent, and silent when nothing is missing. Debian would create and start a cluster of its own on port 5432
# when PostgreSQL is installed: it is told not to before that happens. Prometheus is for tests only: no service is left.
setup:
	@missing=""; \
	for package in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	echo "setup: installing$$missing"; \
	if ! grep -qs '^create_main_cluster *= *false' /etc/postgresql-common/createcluster.conf; then \
		$(AS_ROOT) mkdir -p /etc/postgresql-common && \
		echo 'create_main_cluster = false' | $(AS_ROOT) tee -a /etc/postgresql-common/createcluster.conf >/dev/null; \
	fi; \
	$(AS_ROOT) apt-get update -q && \
	$(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		-o Dpkg::Options::=--force-confold $$missing; \
	status=$$?; \
	case "$$missing " in *" prometheus "*) \
		[ ! -d /run/systemd/system ] || $(AS_ROOT) systemctl disable -q --now prometheus;; \
	esac; \
	case "$$missing " in *" openssh-server "*) \
		[ ! -d /run/systemd/system ] || $(AS_ROOT) systemctl disable -q --now ssh;; \
	esac; \
	exit $$status

build:
	$(SWIFT) build --build-tests

# Tests with sockets, processes and servers measure time: they run one at a time, scenarios in a process of their own.
# Network interfaces and namespaces are made by root only.
ROOT_TESTS = ^(VirtualIP|Guide)Tests\.
IO_TESTS = ^(ProxyServer|BackupArchive|Bastion|RaftIO|HTTPAPI|Operations|PostgresControl|Guard|Telemetry)Tests\.

test: setup build
	@Tests/run.sh "unit, story, paper, golden, simulation, fuzz and tidy tests" \
		$(SWIFT) test --skip-build --skip '^ScenarioTests\.' --skip '$(IO_TESTS)' --skip '$(ROOT_TESTS)'
	@Tests/run.sh "adapters: sockets, files, processes, PostgreSQL" \
		$(SWIFT) test --skip-build --no-parallel --filter '$(IO_TESTS)'
	@SECOND_CHANCE=2 Tests/run.sh "the virtual IP and the operations guide: hosts in namespaces (as root)" \
		$(AS_ROOT) env PATH="$$PATH" SWIFT_BACKTRACE=enable=no $(SWIFT) test --skip-build --no-parallel --filter '$(ROOT_TESTS)'
	@SECOND_CHANCE=2 Tests/run.sh "scenarios: real PostgreSQL, real daemons" \
		$(SWIFT) test --skip-build --no-parallel --filter '^ScenarioTests\.'
	@Tests/run.sh "conformance of the API, in short" bash Tests/Conformance/run.sh .build/debug/pgbastion 1
	@echo "== all tests passed"

# The operations guide, block by block, with a table at the end: which test ran it, and how it ended.
guide: setup build
	@Tests/run.sh "the operations guide" $(AS_ROOT) env PATH="$$PATH" SWIFT_BACKTRACE=enable=no $(SWIFT) test --skip-build --no-parallel --filter '^GuideTests\.'

demo: setup
	$(SWIFT) build --product pgbastion
	.build/debug/pgbastion sandbox demo

lint:
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests

format:
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

# The generated reference, manual pages, schemas and completion scripts; a test fails when they are out of date.
docs:
	$(SWIFT) build --product pgbastion
	rm -rf docs/man docs/reference
	.build/debug/pgbastion docs markdown --out docs/reference
	.build/debug/pgbastion docs schemas --out docs/reference/schemas
	.build/debug/pgbastion docs openapi --out docs/reference
	mkdir -p docs/reference/runbooks
	for runbook in runbooks/*.yaml; do name=$$(basename $$runbook .yaml); \
		.build/debug/pgbastion runbook docs $$name --dir runbooks > docs/reference/runbooks/$$name.md || exit 1; \
	done
	.build/debug/pgbastion docs man --out docs/man
	.build/debug/pgbastion completions bash > completions/pgbastion.bash
	.build/debug/pgbastion completions zsh > completions/_pgbastion
	.build/debug/pgbastion completions fish > completions/pgbastion.fish

simulate: build
	PGBASTION_SEEDS=$(SEEDS) $(if $(SEED),PGBASTION_SEED=$(SEED)) $(SWIFT) test --skip-build --filter SimulationTests

fuzz: build
	PGBASTION_FUZZ_ROUNDS=$(FUZZ_ROUNDS) $(SWIFT) test --skip-build --filter Fuzz

# schemathesis (from PyPI) against the API of a throw-away cluster: EXAMPLES=50 per operation.
conformance: build
	bash Tests/Conformance/run.sh .build/debug/pgbastion $(EXAMPLES)

# Outages as a client sees them, against the limits of the product (release build).
runbooks: setup
	$(SWIFT) build --product pgbastion
	.build/debug/pgbastion runbook lint --dir runbooks --strict
	.build/debug/pgbastion runbook test runbooks/tests --dir runbooks --coverage
	.build/debug/pgbastion runbook test runbooks/tests --dir runbooks --on sandbox --report markdown=-

bench: setup
	$(SWIFT) build -c release --product pgbastion
	.build/release/pgbastion sandbox measure --rounds $(ROUNDS)

# `pgbastion backup` and `verify` beside the script of the operations guide, small and large states (release build).
bench-backup: setup
	$(SWIFT) build -c release --product pgbastion
	bash Benchmarks/backup.sh .build/release/pgbastion
	PGBASTION_BENCHMARK_BYTES=$${PGBASTION_BENCHMARK_BYTES:-1073741824} \
		$(SWIFT) test --filter '^BackupArchiveTests\.BackupBenchmark'

# Start of the client, memory of a node at idle and size, of the binary that `make install` installs.
bench-cli: setup
	$(SWIFT) build $(SHIPPED)
	bash Benchmarks/cli.sh $(INSTALL_BUILD)/release/pgbastion

# A static binary needs everything compiled again: it has a scratch path of its own.
install:
	$(SWIFT) build $(SHIPPED)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d
	@if [ -e $(DESTDIR)$(PREFIX)/bin/pgbastion ]; then \
		cp -p $(DESTDIR)$(PREFIX)/bin/pgbastion $(DESTDIR)$(PREFIX)/bin/pgbastion.backup; \
	fi
	install -m 0755 -s $(INSTALL_BUILD)/release/pgbastion $(DESTDIR)$(PREFIX)/bin/pgbastion.new
	mv -f $(DESTDIR)$(PREFIX)/bin/pgbastion.new $(DESTDIR)$(PREFIX)/bin/pgbastion
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/pgbastion.service.in > $(INSTALL_BUILD)/pgbastion.service
	install -m 0644 $(INSTALL_BUILD)/pgbastion.service $(DESTDIR)$(PREFIX)/lib/systemd/system/pgbastion.service
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/pgbastion-backup.service.in > $(INSTALL_BUILD)/pgbastion-backup.service
	install -m 0644 $(INSTALL_BUILD)/pgbastion-backup.service packaging/pgbastion-backup.timer $(DESTDIR)$(PREFIX)/lib/systemd/system/
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/pgbastion-backup.sh.in > $(INSTALL_BUILD)/pgbastion-backup.sh
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/pgbastion-backup.cron.in > $(INSTALL_BUILD)/pgbastion-backup.cron
	install -m 0755 $(INSTALL_BUILD)/pgbastion-backup.sh $(DESTDIR)$(PREFIX)/bin/pgbastion-backup.sh
	install -d $(DESTDIR)$(PREFIX)/share/pgbastion
	install -m 0644 $(INSTALL_BUILD)/pgbastion-backup.cron $(DESTDIR)$(PREFIX)/share/pgbastion/pgbastion-backup.cron
	install -d $(DESTDIR)$(PREFIX)/share/pgbastion/runbooks
	install -m 0644 runbooks/*.yaml $(DESTDIR)$(PREFIX)/share/pgbastion/runbooks/
	install -d $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/man/man8
	for section in 5 7 8; do \
		install -m 0644 docs/man/*.$$section $(DESTDIR)$(PREFIX)/share/man/man$$section/ || exit 1; \
	done
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 0644 completions/pgbastion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pgbastion
	install -m 0644 completions/_pgbastion $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_pgbastion
	install -m 0644 completions/pgbastion.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/pgbastion.fish
	install -m 0644 packaging/pgbastion.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/pgbastion.conf
	@[ -n "$(DESTDIR)" ] || sh packaging/post-install.sh

clean:
	rm -rf .build
