# SPDX-License-Identifier: BSD-2-Clause
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
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection
endif
# OpenSSL as of 3.0: what later versions deprecate is no warning yet
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DOPENSSL_API_COMPAT=30000 -I. -I$(O)/gen -fPIC -fno-strict-aliasing -pthread \
	$(CFLAGS) $(WARN) $(HARDEN) $(SANFLAGS)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS) $(LDFLAGS)

pkg_cflags = $(if $(strip $(1)),$(shell pkg-config --cflags $(1) || echo PKG-CONFIG-FAILED))
pkg_libs = $(if $(strip $(1)),$(shell pkg-config --libs $(1) || echo PKG-CONFIG-FAILED))
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
