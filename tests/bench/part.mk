# SPDX-License-Identifier: BSD-2-Clause
# Load generators and measuring programs of `make bench` and tests/abuse/.
BENCH_MEASURE := tests/bench/latency.c tests/bench/process_cpu.c
$(call tool,eap_load,tests/bench/eap_load.c tests/bench/eap_slot.c tests/bench/eap_peer.c \
	tests/bench/credential_set.c tests/bench/radius_target.c $(BENCH_MEASURE),\
	radius_packet base,libssl libcrypto)
$(call tool,acct_load,tests/bench/acct_load.c tests/bench/credential_set.c \
	tests/bench/radius_target.c $(BENCH_MEASURE),radius_packet base,libssl libcrypto)
$(call tool,tls_floor,tests/bench/tls_floor.c tests/bench/credential_set.c,,libssl libcrypto)
$(call tool,lookup_load,tests/bench/lookup_load.c $(BENCH_MEASURE),\
	rlm_pump_core registry_proto base,)
$(call tool,enrol_load,tests/bench/enrol_load.c tests/bench/enrol_client.c \
	tests/bench/credential_set.c tests/bench/radius_target.c $(BENCH_MEASURE),\
	registry_proto base,libssl libcrypto)
$(call tool,enrol_floor,tests/bench/enrol_floor.c,,libssl libcrypto sqlite3)
$(call tool,garbage,tests/abuse/garbage.c tests/bench/radius_target.c,radius_packet base,libcrypto)
$(call tool,revoke_load,tests/bench/revoke_load.c $(BENCH_MEASURE),registry_proto base,)
