# SPDX-License-Identifier: BSD-2-Clause
$(call test,base/test_buf,tests/unit/base/test_buf.c,base,)
