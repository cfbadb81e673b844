# SPDX-License-Identifier: BSD-2-Clause
agent_test = $(call test,pump_agent/$(1),$(addprefix tests/unit/pump_agent/,$(1).c $(2)),$(AGENT_LIBRARIES),,-lwpa_client)
$(call agent_test,test_bundle)
$(call agent_test,test_anchors,pki.c)
$(call agent_test,test_credential,pki.c)
$(call agent_test,test_https,https_server.c pki.c)
$(call agent_test,test_desk,fake_chip.c login_server.c pki.c)
$(call agent_test,test_login_answer)
$(call agent_test,test_login,login_server.c pki.c)
$(call agent_test,test_csrattrs)
$(call agent_test,test_clock_rules)
$(call agent_test,test_machine)
$(call agent_test,test_netblock)
$(call agent_test,test_offline)
$(call agent_test,test_vault)
$(call agent_test,test_vault_seal,fake_chip.c)
$(call agent_test,test_self_report)
$(call agent_test,test_shell)
$(call agent_test,test_tpm_device,soft_tpm.c)
$(call test,pump_agent/test_server_policy,tests/unit/pump_agent/test_server_policy.c $(CA_FIXTURE),\
	agent_core $(CA_LIBS),)
$(call test,pump_agent/test_succession,tests/unit/pump_agent/test_succession.c $(CA_FIXTURE),\
	agent_core $(CA_LIBS),)
$(call test,pump_agent/test_pumplink,tests/unit/pump_agent/test_pumplink.c \
	tests/unit/pump_agent/pumplink_world.c,agent_shell pumplink base,)
$(call test,pump_agent/test_pumplink_hostile,tests/unit/pump_agent/test_pumplink_hostile.c \
	tests/unit/pump_agent/pumplink_world.c,agent_shell pumplink base,)
$(call test,pump_agent/test_controller_link,tests/unit/pump_agent/test_controller_link.c,agent_shell pumplink base,,)

$(call tool,pester,tests/support/agent/pester.c,,)
$(call tool,tpm_counter,tests/support/agent/tpm_counter.c,tpm_device base,)

# For tests/system/agent_*.sh. Not sanitized: the program that loads it may be.
AGENT_PRELOADS := $(addprefix $(O)/tools/,die_at.so own_clock.so spin.so)
ALL_SOURCES += $(patsubst $(O)/tools/%.so,tests/support/agent/%.c,$(AGENT_PRELOADS))
TOOLS += $(AGENT_PRELOADS)
$(AGENT_PRELOADS): $(O)/tools/%.so: tests/support/agent/%.c
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -fPIC -shared $(WARN) $(CFLAGS) -o $@ $<
