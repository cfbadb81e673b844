# SPDX-License-Identifier: BSD-2-Clause
$(call library,signer_proto,$(wildcard ca/proto/*.c),)
# what a pump needs to ask for a certificate; knows nothing of issuing
$(call library,ca_request,$(wildcard ca/request/*.c),libcrypto)
$(call library,ca,$(wildcard ca/*.c),libcrypto)
$(call program,pumpgate-signerd,$(wildcard ca/signerd/*.c),ca ca_request signer_proto registry_proto policies base,libseccomp)
