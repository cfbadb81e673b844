# SPDX-License-Identifier: BSD-2-Clause
# Pumpgate: one non-recursive Makefile; each folder's part.mk says what it builds.
# `make help` lists the targets and the variables.

O ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(STATIC),-static)
PREFIX ?= /usr
DESTDIR ?=
SAN ?=
STATIC ?=
comma := ,
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
ifeq ($(origin CC),default)
CC := gcc
endif

# Targets that work before the packages are there; the others need pkg-config to answer.
BARE := help deps clean check check-radio check-boot demo bench
ifneq ($(or $(filter-out $(BARE),$(MAKECMDGOALS)),$(if $(MAKECMDGOALS),,all)),)
# How things are built. The parts use four macros:
#   $(call library,NAME,SOURCES,PACKAGES)                 static library inside the tree
#   $(call program,NAME,SOURCES,LIBRARIES,PACKAGES,LIBS)  $(O)/bin/NAME
#   $(call test,NAME,SOURCES,LIBRARIES,PACKAGES,LIBS)     cmocka program $(O)/tests/NAME
#   $(call tool,NAME,SOURCES,LIBRARIES,PACKAGES,LIBS)     $(O)/tools/NAME: for tests, not installed
# LIBRARIES are names of libraries inside the tree, users before the used; PACKAGES are pkg-config's.

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(patsubst $(O)/%,%,$@))

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wno-format-truncation -Wundef -Werror
ifneq ($(findstring clang,$(CC)),)
# libseccomp's macros leave fields out on purpose
WARN += -Wno-unknown-warning-option -Wno-missing-field-initializers
endif
ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN := -fstack-protector-strong
else
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
# x86 alone has it; the agent is built for other processors too
HARDEN += $(if $(filter x86_64% i%86%,$(shell $(CC) -dumpmachine)),-fcf-protection)
endif
# OpenSSL as of 3.0: what later versions deprecate is no warning yet
DEFINES :=
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DOPENSSL_API_COMPAT=30000 -I. -I$(O)/gen -fPIC -fno-strict-aliasing -pthread \
	$(CFLAGS) $(DEFINES) $(if $(STATIC),-DPUMPGATE_STATIC) $(WARN) $(HARDEN) $(SANFLAGS)
# For pumps with other libraries than the ones built against, or none.
ifneq ($(and $(STATIC),$(filter-out agent,$(or $(MAKECMDGOALS),all))),)
$(error STATIC=1 goes with `make agent` alone)
endif
ALL_LDFLAGS = $(if $(STATIC),-static-pie,-pie) -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS) $(LDFLAGS)

PKG_CONFIG ?= pkg-config
pkg_cflags = $(if $(strip $(1)),$(shell $(PKG_CONFIG) --cflags $(1) || echo PKG-CONFIG-FAILED))
pkg_libs = $(if $(strip $(1)),$(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $(1) || echo PKG-CONFIG-FAILED))
objects = $(patsubst %.c,$(O)/obj/%.o,$(1))

ALL_SOURCES :=
PROGRAMS :=
TESTS :=
TOOLS :=
MANPAGES := $(wildcard docs/man/*.[1-8])

# LIB_PKGS_name: what users of the library must link; LIB_DEPS come from the users' own lists.
define library_rules
LIB_PKGS_$(1) := $(3)
ALL_SOURCES += $(2)
$(call objects,$(2)): private PKG_CFLAGS := $(call pkg_cflags,$(3))
$(O)/lib/lib$(1).a: $(call objects,$(2))
	$$(call say,AR)
	@mkdir -p $$(@D) && rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
library = $(eval $(call library_rules,$(strip $(1)),$(strip $(2)),$(strip $(3))))

define linked_rules
ALL_SOURCES += $(2)
$(call objects,$(2)): private PKG_CFLAGS := $(call pkg_cflags,$(4) $(foreach l,$(3),$(LIB_PKGS_$(l))))
$(1): $(call objects,$(2)) $(foreach l,$(3),$(O)/lib/lib$(l).a)
	$$(call say,LD)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $(call objects,$(2)) \
		-Wl,--start-group $(foreach l,$(3),$(O)/lib/lib$(l).a) -Wl,--end-group \
		$(call pkg_libs,$(4) $(foreach l,$(3),$(LIB_PKGS_$(l)))) $(5)
endef
program = $(eval PROGRAMS += $(O)/bin/$(strip $(1)))$(eval $(call \
	linked_rules,$(O)/bin/$(strip $(1)),$(strip $(2)),$(strip $(3)),$(strip $(4)),$(strip $(5))))
test = $(eval TESTS += $(O)/tests/$(strip $(1)))$(eval $(call \
	linked_rules,$(O)/tests/$(strip $(1)),$(strip $(2)),$(strip $(3)),$(strip $(4)) cmocka,$(strip $(5))))
tool = $(eval TOOLS += $(O)/tools/$(strip $(1)))$(eval $(call \
	linked_rules,$(O)/tools/$(strip $(1)),$(strip $(2)),$(strip $(3)),$(strip $(4)),$(strip $(5))))

$(O)/obj/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

# A file as a C array: $(O)/gen/PATH.inc from PATH, for #include inside { }.
$(O)/gen/%.inc: %
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' > $@

-include $(shell test -d $(O)/obj && find $(O)/obj -name '*.d')

include base/part.mk sql/part.mk policies/part.mk ca/part.mk enroll/part.mk
include radius_modules/part.mk pump_agent/part.mk tests/part.mk

# all = everything that the parts have named; install puts it below $(DESTDIR)$(PREFIX).

all: $(PROGRAMS) $(MODULES) $(SHARE_FILES) $(PUMPLINK)

agent: $(O)/bin/pumpgate-agentd

UNITS := $(wildcard sql/registryd/*.service sql/credd/*.service ca/signerd/*.service enroll/enrolld/*.service \
	policies/*.service pump_agent/*.service radius_modules/*/*.service enroll/*.service enroll/*.timer enroll/*.target)

.PHONY: install
install: all ## Install below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/pumpgate \
		$(DESTDIR)$(PREFIX)/share/pumpgate $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man3 \
		$(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/sbin/
	install -m 0644 $(MODULES) $(DESTDIR)$(PREFIX)/lib/pumpgate/
	cp -R $(O)/share/pumpgate/. $(DESTDIR)$(PREFIX)/share/pumpgate/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 0644 $(UNITS) $(DESTDIR)$(PREFIX)/lib/systemd/system/
	install -D -m 0644 enroll/pumpgate.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/pumpgate.conf
	install -D -m 0644 pump_agent/pumpgate-agent.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/pumpgate-agent.conf
	install -D -m 0644 pump_agent/pumplink/pumplink.h $(DESTDIR)$(PREFIX)/include/pumplink.h
	install -D -m 0644 $(O)/lib/libpumplink.a $(DESTDIR)$(PREFIX)/lib/libpumplink.a
	install -D -m 0755 $(O)/lib/libpumplink.so.1 $(DESTDIR)$(PREFIX)/lib/libpumplink.so.1
	ln -sf libpumplink.so.1 $(DESTDIR)$(PREFIX)/lib/libpumplink.so
	install -D -m 0644 enroll/pumpctl/pumpctl.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/pumpctl
	for page in $(MANPAGES); do \
		install -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/; done

# Checks that read the source and do not run it.

C_FILES := $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')
SH_FILES := $(shell git ls-files --cached --others --exclude-standard '*.sh' .ci/run)

.PHONY: lint format
lint: ## Layers, format, shell scripts, man pages, systemd units
	tests/lint/layers.sh
	clang-format --dry-run --Werror $(C_FILES)
	shellcheck -x $(SH_FILES)
	mandoc -T lint -W warning $(MANPAGES)
	systemd-analyze security --offline=true --no-pager --threshold=25 \
		$(filter %.service,$(UNITS)) >/dev/null

format: ## Rewrite C files in the committed format
	clang-format -i $(C_FILES)
endif

.PHONY: agent all check check-radio check-boot demo bench lint format install clean help deps

all: ## Build every program, module and man page (SAN=address,undefined or SAN=thread: sanitized)

agent: ## Build the pump's agent alone (STATIC=1: without shared libraries; cross: CC= PKG_CONFIG=)

deps: ## Install the Debian packages that are missing (as root; else say which they are)
	@.ci/deps.sh

check: ## Install what is missing, build, run all tests that need neither a radio nor hours
	@.ci/deps.sh
	@$(MAKE) --no-print-directory run-check

check-radio: ## Real Wi-Fi: WPA2 and WPA3-Enterprise in a virtual machine (qemu without KVM)
	@.ci/deps.sh radio
	@$(MAKE) --no-print-directory run-check-radio

check-boot: ## The agent's unit under a systemd that booted, in the same virtual machine: bounds, restart
	@.ci/deps.sh radio
	@$(MAKE) --no-print-directory run-check-boot

demo: ## The main job for real in network namespaces (root); KEEP=1 leaves it running
	@.ci/deps.sh
	@$(MAKE) --no-print-directory run-demo

bench: ## Measure against stock FreeRADIUS and bare OpenSSL, as ratios taken in one run
	@.ci/deps.sh
	@$(MAKE) --no-print-directory run-bench

clean: ## Remove what was built
	rm -rf build build-*

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-11s %s\n", $$1, $$2}' \
		Makefile tests/part.mk
	@echo
	@echo "  CC=clang  another compiler      SAN=thread  a sanitized build in a folder of its own"
	@echo "  STATIC=1  with agent: one file, no shared libraries"
	@echo "  O=DIR     build in DIR          V=1         show the commands"
	@echo "  T=PATTERN with check: only the test files whose path matches"
