# SPDX-License-Identifier: BSD-2-Clause
$(call library,policies,$(wildcard policies/*.c),)

# The FreeRADIUS configuration with @WORDS@, for `pumpctl init`.
RADDB_FILES := $(patsubst policies/%,$(O)/share/pumpgate/%,$(wildcard policies/raddb/*.conf \
	policies/raddb/dictionary policies/raddb/mods/* policies/raddb/sites/* \
	policies/raddb-clinicians/*.conf policies/raddb-clinicians/dictionary \
	policies/raddb-clinicians/mods/* policies/raddb-clinicians/sites/*))
SHARE_FILES += $(RADDB_FILES)

$(RADDB_FILES): $(O)/share/pumpgate/%: policies/%
	$(call say,COPY)
	@mkdir -p $(@D)
	$(Q)cp $< $@
