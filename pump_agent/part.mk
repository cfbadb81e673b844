# SPDX-License-Identifier: BSD-2-Clause
# agent_core: no sockets and no files; agent_shell: the rest, but main.
$(call library,agent_core,$(addprefix pump_agent/,anchors.c backoff.c bundle.c credential.c csrattrs.c \
	machine.c netblock.c),libcrypto jansson)
$(call library,agent_shell,$(addprefix pump_agent/,agent.c agent_actions.c agent_link.c enrol.c \
	est_client.c job.c link_watch.c options.c status.c store.c store_state.c supplicant.c wpa_link.c),libcurl libssl)
$(call program,pumpgate-agentd,pump_agent/main.c,agent_shell agent_core ca_request base,,-lwpa_client)
