# SPDX-License-Identifier: BSD-2-Clause
# rlm_clinician.so, built as rlm_pump.so is and with the same shims.
RLM_CLINICIAN_GLUE := radius_modules/rlm_clinician/rlm_clinician.c
RLM_CLINICIAN_LIBS := rlm_clinician_core radius_packet cred_proto login_wire base
RLM_CLINICIAN := $(O)/lib/pumpgate/rlm_clinician.so

$(call library,rlm_clinician_core,radius_modules/rlm_clinician/login_packet.c,libcrypto)

ALL_SOURCES += $(RLM_CLINICIAN_GLUE)
MODULES += $(RLM_CLINICIAN)

$(call objects,$(RLM_CLINICIAN_GLUE)): private PKG_CFLAGS := -D_REENTRANT -DNDEBUG -DIS_MODULE=1 \
	-idirafter radius_modules/rlm_pump/shim -include freeradius/autoconf.h \
	-include freeradius/build.h -include freeradius/features.h -include freeradius/radpaths.h \
	$(call pkg_cflags,libcrypto talloc)

$(RLM_CLINICIAN): $(call objects,$(RLM_CLINICIAN_GLUE)) $(RLM_CLINICIAN_LIBS:%=$(O)/lib/lib%.a) \
		radius_modules/rlm_clinician/exports.map
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared $(filter-out -pie,$(ALL_LDFLAGS)) -o $@ \
		-Wl,--version-script=radius_modules/rlm_clinician/exports.map \
		$(call objects,$(RLM_CLINICIAN_GLUE)) \
		-Wl,--start-group $(RLM_CLINICIAN_LIBS:%=$(O)/lib/lib%.a) -Wl,--end-group \
		$(call pkg_libs,libcrypto talloc $(LIB_PKGS_base))
