# SPDX-License-Identifier: BSD-2-Clause
$(call test,credd/test_login_wire,tests/unit/credd/test_login_wire.c,login_wire base,)
