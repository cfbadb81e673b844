# SPDX-License-Identifier: BSD-2-Clause
$(call test,policies/test_verdict,tests/unit/policies/test_verdict.c,policies,)
$(call test,policies/test_anomaly,tests/unit/policies/test_anomaly.c,policies base,)
$(call test,policies/test_report_policy,tests/unit/policies/test_report_policy.c,policies base,)
$(call test,policies/test_tls_profile,tests/unit/policies/test_tls_profile.c,policies,)
$(call test,policies/test_port_profile,tests/unit/policies/test_port_profile.c,policies base,)
