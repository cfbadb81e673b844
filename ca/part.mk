# SPDX-License-Identifier: BSD-2-Clause
$(call library,signer_proto,$(wildcard ca/proto/*.c),)
# what a pump needs to ask for a certificate; knows nothing of issuing
$(call library,ca_request,$(wildcard ca/request/*.c),libcrypto)
$(call library,ca,$(wildcard ca/*.c),libcrypto)
# the CA's own files, sealed for two people; knows nothing of certificates
$(call library,ca_sealed,$(wildcard ca/sealed/*.c),libgfshare libsodium)
$(call program,pumpgate-signerd,$(wildcard ca/signerd/*.c),ca ca_sealed ca_request signer_proto registry_proto policies base,libseccomp)
