# SPDX-License-Identifier: BSD-2-Clause
$(call tool,testswitch,$(wildcard tests/support/testswitch/*.c),radius_packet base,libnftables,-lwpa_client)
