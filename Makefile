# SPDX-License-Identifier: BSD-2-Clause
# Pumpgate: one non-recursive Makefile; each folder's part.mk says what it builds.
# `make help` lists the targets and the variables.

O ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr
DESTDIR ?=
SAN ?=
comma := ,
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
ifeq ($(origin CC),default)
CC := gcc
endif

# Targets that work before the packages are there; the others need pkg-config to answer.
BARE := help deps clean check check-radio demo bench
ifneq ($(or $(filter-out $(BARE),$(MAKECMDGOALS)),$(if $(MAKECMDGOALS),,all)),)
include mk/build.mk
include base/part.mk sql/part.mk policies/part.mk ca/part.mk enroll/part.mk
include radius_modules/part.mk pump_agent/part.mk tests/part.mk
include mk/lint.mk mk/install.mk
endif

.PHONY: all check check-radio demo bench lint format install clean help deps

all: ## Build every program, module and man page (SAN=address,undefined or SAN=thread: sanitized)

deps: ## Install the Debian packages that are missing (as root; else say which they are)
	@mk/deps.sh

check: ## Install what is missing, build, run all tests that need neither a radio nor hours
	@mk/deps.sh
	@$(MAKE) --no-print-directory run-check

check-radio: ## Real Wi-Fi: WPA2 and WPA3-Enterprise in a virtual machine (qemu without KVM)
	@mk/deps.sh radio
	@$(MAKE) --no-print-directory run-check-radio

demo: ## The main job for real in network namespaces (root); KEEP=1 leaves it running
	@mk/deps.sh
	@$(MAKE) --no-print-directory run-demo

bench: ## Measure against stock FreeRADIUS and bare OpenSSL, as ratios taken in one run
	@mk/deps.sh
	@$(MAKE) --no-print-directory run-bench

clean: ## Remove what was built
	rm -rf build build-*

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-11s %s\n", $$1, $$2}' \
		Makefile mk/*.mk tests/part.mk
	@echo
	@echo "  CC=clang  another compiler      SAN=thread  a sanitized build in a folder of its own"
	@echo "  O=DIR     build in DIR          V=1         show the commands"
	@echo "  T=PATTERN with check: only the test files whose path matches"
