# SPDX-License-Identifier: BSD-2-Clause
# rlm_pump.so: the files that speak FreeRADIUS, over a library that knows nothing of it. Built for the
# installed FreeRADIUS; its headers are completed by shim/.
RLM_PUMP_GLUE := $(addprefix radius_modules/rlm_pump/,rlm_pump.c attempt.c auth_ops.c answer_ops.c nas_ops.c \
	session_ops.c acct_ops.c hold_ops.c request_text.c tls_late.c tls_seen.c)
RLM_PUMP_CORE := $(filter-out $(RLM_PUMP_GLUE),$(wildcard radius_modules/rlm_pump/*.c))
RLM_PUMP_LIBS := rlm_pump_core radsec_hop policies registry_proto base
RLM_PUMP := $(O)/lib/pumpgate/rlm_pump.so

$(call library,rlm_pump_core,$(RLM_PUMP_CORE),libcrypto)

ALL_SOURCES += $(RLM_PUMP_GLUE)
MODULES += $(RLM_PUMP)

# NDEBUG and IS_MODULE as the server was built: they change the layout of REQUEST.
$(call objects,$(RLM_PUMP_GLUE)): private PKG_CFLAGS := -D_REENTRANT -DNDEBUG -DIS_MODULE=1 \
	-idirafter radius_modules/rlm_pump/shim -include freeradius/autoconf.h \
	-include freeradius/build.h -include freeradius/features.h -include freeradius/radpaths.h \
	$(call pkg_cflags,libcrypto libssl talloc)

$(RLM_PUMP): $(call objects,$(RLM_PUMP_GLUE)) $(RLM_PUMP_LIBS:%=$(O)/lib/lib%.a) \
		radius_modules/rlm_pump/exports.map
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared $(filter-out -pie,$(ALL_LDFLAGS)) -o $@ \
		-Wl,--version-script=radius_modules/rlm_pump/exports.map \
		$(call objects,$(RLM_PUMP_GLUE)) \
		-Wl,--start-group $(RLM_PUMP_LIBS:%=$(O)/lib/lib%.a) -Wl,--end-group \
		$(call pkg_libs,libcrypto libssl talloc $(LIB_PKGS_base))
