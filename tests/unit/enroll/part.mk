# SPDX-License-Identifier: BSD-2-Clause
$(call test,enroll/test_est_path,tests/unit/enroll/test_est_path.c,est base,)
$(call test,enroll/test_est_base64,tests/unit/enroll/test_est_base64.c,est base,libcrypto)
$(call test,enroll/test_est_basic,tests/unit/enroll/test_est_basic.c,est base,)
$(call test,enroll/test_est_cms,tests/unit/enroll/test_est_cms.c,est base,libcrypto)
$(call test,enroll/test_http_request,tests/unit/enroll/test_http_request.c,est base,)
$(call test,enroll/test_throttle,tests/unit/enroll/test_throttle.c,enrolld base,)
$(call test,enroll/test_outcome,tests/unit/enroll/test_outcome.c,enrolld policies base,)
$(call test,enroll/test_http_response,tests/unit/enroll/test_http_response.c,est base,)
