# SPDX-License-Identifier: BSD-2-Clause
$(call test,base/test_buf,tests/unit/base/test_buf.c,base,)
$(call test,base/test_record,tests/unit/base/test_record.c,base,)
$(call test,base/test_config,tests/unit/base/test_config.c,base,)
$(call test,base/test_clock,tests/unit/base/test_clock.c,base,)
$(call test,base/test_log,tests/unit/base/test_log.c,base,)
$(call test,base/test_secret,tests/unit/base/test_secret.c,base,)
$(call test,base/test_file,tests/unit/base/test_file.c,base,)
$(call test,base/test_ipc,tests/unit/base/test_ipc.c tests/unit/base/ipc_fixture.c,base,)
