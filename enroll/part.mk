# SPDX-License-Identifier: BSD-2-Clause
# pumpctl: the pure parts and the verbs; main.c alone stays out of the library.
$(call library,pumpctl,$(filter-out enroll/pumpctl/main.c,$(wildcard enroll/pumpctl/*.c)),jansson libcrypto libevent)
$(call program,pumpctl,enroll/pumpctl/main.c,pumpctl policies registry_proto signer_proto base,)
