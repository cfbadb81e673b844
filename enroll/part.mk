# SPDX-License-Identifier: BSD-2-Clause
# pumpctl: the pure parts and the verbs; main.c alone stays out of the library.
$(call library,pumpctl,$(filter-out enroll/pumpctl/main.c,$(wildcard enroll/pumpctl/*.c)),jansson libcrypto libevent libqrencode libsodium pwquality)
$(O)/obj/enroll/pumpctl/strength.o: $(O)/gen/enroll/pumpctl/weak-passwords.txt.inc
$(call program,pumpctl,enroll/pumpctl/main.c,pumpctl ca_request policies cred_proto login_wire registry_proto signer_proto base,,-lcsv)
$(call library,est,$(wildcard enroll/est/*.c),jansson)
# reads what anybody asks about certificates; ca/ is not in it
$(call library,status,$(wildcard enroll/status/*.c),libcrypto)
$(call library,enrolld,$(filter-out enroll/enrolld/main.c,$(wildcard enroll/enrolld/*.c)),libevent_core openssl libsodium)
$(call program,pumpgate-enrolld,enroll/enrolld/main.c,enrolld status est policies ca_request signer_proto registry_proto cage base,)
