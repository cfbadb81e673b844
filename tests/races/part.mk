# SPDX-License-Identifier: BSD-2-Clause
$(call tool,races,$(wildcard tests/races/*.c) tests/bench/eap_slot.c tests/bench/eap_peer.c \
	tests/bench/credential_set.c tests/bench/radius_target.c,registry_proto radius_packet base,\
	libssl libcrypto)
