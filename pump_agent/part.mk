# SPDX-License-Identifier: BSD-2-Clause
# agent_core: no sockets and no files; agent_shell: the rest, but main.
$(call library,agent_core,$(addprefix pump_agent/,anchors.c backoff.c bundle.c credential.c \
	clock_rules.c csrattrs.c est_url.c http_fields.c login/address.c machine.c netblock.c open_ports.c self_report.c server_policy.c succession.c),libcrypto jansson)
$(call library,agent_shell,$(addprefix pump_agent/,agent.c agent_actions.c agent_ask.c agent_birth.c agent_link.c \
	agent_controller.c agent_logins.c agent_wipe.c birth.c controller_link.c enrol.c enrol_deliver.c pumplink/agent_side.c pumplink/layout.c \
	est_client.c https.c job.c link_watch.c options.c resolve.c status.c store.c store_state.c supplicant.c tls_client.c tpm.c wipe.c \
	wall_clock.c wpa_link.c),libssl libevent_core libevent_extra libevent_openssl)
# The TPM, by way of tpm2-tss: its headers alone are needed here.
$(call library,tpm_device,$(addprefix pump_agent/,tpm_library.c tpm_device.c tpm_counter.c),)
# Clinicians' logins: login_core as agent_core, but for processor time; login_shell: the rest.
$(call library,login_core,$(addprefix pump_agent/login/,age.c answer.c offline.c pin_hash.c vault_plain.c),)
$(call library,login_shell,$(addprefix pump_agent/login/,chip.c desk.c desk_offline.c login.c radsec.c vault.c vault_seal.c),libssl)

# No clock is right that is before it: of the last commit, else of the source.
AGENT_BUILD_TIME := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),$(shell \
	stat -c %Y pump_agent/wall_clock.c))
$(O)/obj/pump_agent/wall_clock.o: private DEFINES := -DPUMPGATE_BUILD_TIME=$(AGENT_BUILD_TIME)

# For the controller: libc only, and no call of it from the loop's half (pumplink.c, layout.c).
PUMPLINK_SOURCES := $(addprefix pump_agent/pumplink/,pumplink.c layout.c handover.c)
$(call library,pumplink,$(PUMPLINK_SOURCES),)
PUMPLINK := $(O)/lib/libpumplink.a $(O)/lib/libpumplink.so.1
$(O)/lib/libpumplink.so.1: $(call objects,$(PUMPLINK_SOURCES)) pump_agent/pumplink/pumplink.map
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared $(filter-out -pie,$(ALL_LDFLAGS)) -Wl,-soname,libpumplink.so.1 \
		-Wl,--version-script=pump_agent/pumplink/pumplink.map -o $@ $(filter %.o,$^)

AGENT_LIBRARIES := agent_shell login_shell login_core tpm_device agent_core login_text login_wire radius_packet ca_request base
$(call program,pumpgate-agentd,pump_agent/main.c pump_agent/confine.c,$(AGENT_LIBRARIES) cage,,-lwpa_client)

$(call tool,pump_controller,$(wildcard pump_agent/controller_emulator/*.c),pumplink base,jansson)
