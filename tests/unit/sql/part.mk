# SPDX-License-Identifier: BSD-2-Clause
SQL_TEST_LIBS := store registry_proto policies base
$(foreach t,migrate audit issue ca_steps inventory nas nas_certs revoke recall rotation placement decommission orders sessions ledger backup approvals makers server_policy alarms reports pending model_tls standing_map,$(call test,sql/test_$(t),\
	tests/unit/sql/test_$(t).c tests/unit/sql/fixture.c,$(SQL_TEST_LIBS),sqlite3 libsodium))
$(call test,sql/test_lane,tests/unit/sql/test_lane.c,serve base,)
$(call test,sql/test_anomalies,tests/unit/sql/test_anomalies.c tests/unit/sql/fixture.c \
	sql/registryd/anomalies.c,$(SQL_TEST_LIBS),sqlite3 libsodium)
$(call test,sql/test_standings,tests/unit/sql/test_standings.c tests/unit/sql/fixture.c \
	sql/registryd/standing_keeper.c,$(SQL_TEST_LIBS),sqlite3 libsodium)
$(foreach t,registryd registryd_revoke registryd_map registryd_reports registryd_ring,$(call test,sql/test_$(t),tests/unit/sql/test_$(t).c \
	tests/unit/sql/running.c tests/unit/sql/fixture.c,$(SQL_TEST_LIBS),sqlite3 libsodium))
$(call test,sql/test_directory,tests/unit/sql/test_directory.c,directory base,)
$(call test,sql/test_event_ring,tests/unit/sql/test_event_ring.c sql/registryd/event_memory.c,\
	registry_proto base,)
