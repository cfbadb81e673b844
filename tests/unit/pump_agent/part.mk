# SPDX-License-Identifier: BSD-2-Clause
agent_test = $(call test,pump_agent/$(1),$(addprefix tests/unit/pump_agent/,$(1).c $(2)),agent_shell agent_core \
	ca_request base,,-lwpa_client)
$(call agent_test,test_bundle)
$(call agent_test,test_anchors,pki.c)
$(call agent_test,test_credential,pki.c)
