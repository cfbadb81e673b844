# SPDX-License-Identifier: BSD-2-Clause
$(call tool,testswitch,$(wildcard tests/support/testswitch/*.c),radius_packet base,libnftables,-lwpa_client)
$(call tool,signer_client,tests/support/signer_client.c,ca_request signer_proto registry_proto base,)
$(call tool,dastool,tests/support/dastool/dastool.c,radius_packet base,)
$(call tool,est_raw,tests/support/est_raw.c,,openssl)
$(call tool,est_bound,tests/support/est_bound.c,,openssl)
$(call tool,registry_probe,$(wildcard tests/support/registry_probe/*.c),registry_proto base,)
$(call tool,trespass,tests/support/trespass.c,base,)
$(call tool,nas_farm,tests/support/nas_farm.c,radius_packet base,)
