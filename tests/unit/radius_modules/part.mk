# SPDX-License-Identifier: BSD-2-Clause
$(call test,radius_modules/test_rlm_pump_text,\
	tests/unit/radius_modules/test_rlm_pump_text.c,rlm_pump_core policies base,)
$(call test,radius_modules/test_rlm_pump_session,\
	tests/unit/radius_modules/test_rlm_pump_session.c,rlm_pump_core base,libssl libcrypto)
$(call test,radius_modules/test_rlm_pump_link,tests/unit/radius_modules/test_rlm_pump_link.c \
	tests/unit/radius_modules/link_registry.c,rlm_pump_core registry_proto base,)
$(call test,radius_modules/test_rlm_pump_events,tests/unit/radius_modules/test_rlm_pump_events.c \
	tests/unit/radius_modules/link_registry.c,rlm_pump_core registry_proto base,)
$(call test,radius_modules/test_rlm_pump_nas,\
	tests/unit/radius_modules/test_rlm_pump_nas.c,rlm_pump_core registry_proto base,)
$(call test,radius_modules/test_rlm_pump_pace,\
	tests/unit/radius_modules/test_rlm_pump_pace.c,rlm_pump_core base,)
