# SPDX-License-Identifier: BSD-2-Clause
$(call test,policies/test_verdict,tests/unit/policies/test_verdict.c,policies,)
