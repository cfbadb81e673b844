# SPDX-License-Identifier: BSD-2-Clause
# Load generators and measuring programs of `make bench` and tests/abuse/.
$(call tool,eap_load,tests/bench/eap_load.c tests/bench/eap_slot.c tests/bench/eap_peer.c \
	tests/bench/credential_set.c tests/bench/latency.c tests/bench/process_cpu.c,\
	radius_packet base,libssl libcrypto)
