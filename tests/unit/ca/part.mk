# SPDX-License-Identifier: BSD-2-Clause
CA_FIXTURE := tests/unit/ca/ca_fixture.c
CA_LIBS := ca ca_request signer_proto policies base
$(call test,ca/test_csr,tests/unit/ca/test_csr.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_profile,tests/unit/ca/test_profile.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_related_cert_request,tests/unit/ca/test_related_cert_request.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_issued_log,tests/unit/ca/test_issued_log.c,$(CA_LIBS),)
$(call test,ca/test_keystore,tests/unit/ca/test_keystore.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_confine,tests/unit/ca/test_confine.c ca/signerd/confine.c ca/signerd/rate.c,base,libseccomp)
$(call test,ca/test_grounds,tests/unit/ca/test_grounds.c ca/signerd/grounds.c $(CA_FIXTURE),$(CA_LIBS) registry_proto,)
$(call test,ca/test_idevid,tests/unit/ca/test_idevid.c tests/unit/ca/maker_fixture.c ca/signerd/idevid_grounds.c $(CA_FIXTURE),$(CA_LIBS) registry_proto,)
$(call test,ca/test_issuance,tests/unit/ca/test_issuance.c ca/signerd/issuance.c ca/signerd/grounds.c ca/signerd/idevid_grounds.c ca/signerd/rate.c $(CA_FIXTURE),$(CA_LIBS) registry_proto,)
$(call test,ca/test_crl,tests/unit/ca/test_crl.c ca/signerd/remember.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_ocsp,tests/unit/ca/test_ocsp.c ca/signerd/cert_status.c ca/signerd/ocsp_ready.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_offline,tests/unit/ca/test_offline.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_sealed,tests/unit/ca/test_sealed.c,ca_sealed base,)
$(call test,ca/test_key_strength,tests/unit/ca/test_key_strength.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_lint,tests/unit/ca/test_lint.c $(CA_FIXTURE),$(CA_LIBS),)
$(call test,ca/test_checkpoints,tests/unit/ca/test_checkpoints.c,$(CA_LIBS),)
