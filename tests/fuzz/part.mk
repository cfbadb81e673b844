# SPDX-License-Identifier: BSD-2-Clause
# Fuzz targets: $(call fuzz,NAME,LIBRARIES,PACKAGES,LIBS) for tests/fuzz/fuzz_NAME.c, with at least one
# seed input in tests/fuzz/seeds/NAME/. `make check` replays seeds and mutations of them with the
# normal compiler; `make fuzz` builds with clang and libFuzzer in a folder of its own.
FUZZERS :=
ifneq ($(findstring fuzzer,$(SAN)),)
fuzz = $(eval FUZZERS += $(O)/fuzz/$(strip $(1)))$(eval $(call linked_rules,$(O)/fuzz/$(strip $(1)),\
	tests/fuzz/fuzz_$(strip $(1)).c,$(strip $(2)),$(strip $(3)),-fsanitize=fuzzer $(strip $(4))))
else
fuzz = $(eval TESTS += $(O)/tests/fuzz/$(strip $(1)))$(eval $(call linked_rules,$(O)/tests/fuzz/$(strip $(1)),\
	tests/fuzz/fuzz_$(strip $(1)).c tests/fuzz/replay.c,$(strip $(2)),$(strip $(3)),$(strip $(4))))
endif

$(call fuzz,ipc_record,base)
$(call fuzz,config,base)
$(call fuzz,radius_packet,radius_packet base)
$(call fuzz,radsec_relay,radsec radsec_hop radius_packet base,)
$(call fuzz,tls_session_strip,rlm_pump_core base,)
$(call fuzz,rlm_pump_text,rlm_pump_core policies base,)
$(call fuzz,est_request,est base)
$(call fuzz,self_report,est registry_proto base,jansson)
$(call fuzz,inventory_csv,pumpctl base,,-lcsv)
$(call fuzz,serial_list,pumpctl base,)
$(call fuzz,agent_bundle,agent_core ca_request base)
$(call fuzz,agent_cacerts,agent_core ca_request base)
$(call fuzz,server_policy,agent_core ca_request base)
$(call fuzz,agent_csrattrs,agent_core ca_request base)
$(call fuzz,agent_http,agent_core ca_request base)
$(call fuzz,login_answer,login_core login_wire radius_packet base,,)
$(call fuzz,wipe_statement,ca_request base,libcrypto)
$(call fuzz,idevid,ca_request base,libcrypto)
$(call fuzz,csr,ca ca_request signer_proto policies base,libcrypto)
$(call fuzz,ca_share,ca_sealed base,)
$(call fuzz,issued_line,ca base,libcrypto)
$(call fuzz,registry_records,registry_proto base,)
$(call fuzz,event_ring,registry_proto base,)
$(call fuzz,ocsp_request,status est signer_proto base,libcrypto)
$(call fuzz,directory_text,directory base,)
$(call fuzz,pumplink,agent_shell pumplink base,)
$(call fuzz,login,rlm_clinician_core credd_core radius_packet cred_proto login_text login_wire base,libcrypto)
$(call fuzz,user_csv,pumpctl base,,-lcsv)
