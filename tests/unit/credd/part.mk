# SPDX-License-Identifier: BSD-2-Clause
$(call test,credd/test_login_wire,tests/unit/credd/test_login_wire.c,login_wire base,)
$(call test,credd/test_throttle,tests/unit/credd/test_throttle.c,credd_core base,)
$(call test,credd/test_login_text,tests/unit/credd/test_login_text.c,credd_core login_text base,)
$(call test,credd/test_people,tests/unit/credd/test_people.c,people store cred_proto registry_proto login_wire policies base,sqlite3 libsodium)
$(call test,credd/test_glass,tests/unit/credd/test_glass.c,people store cred_proto registry_proto login_wire policies base,sqlite3 libsodium)
$(call test,credd/test_login_packet,tests/unit/credd/test_login_packet.c,rlm_clinician_core radius_packet cred_proto login_wire base,libcrypto)
$(call test,credd/test_withdrawals,tests/unit/credd/test_withdrawals.c,people store cred_proto registry_proto login_wire policies base,sqlite3 libsodium)
