# SPDX-License-Identifier: BSD-2-Clause
$(call library,radsec_hop,radius_modules/radsec/hop.c,)
$(call library,radsec,$(addprefix radius_modules/radsec/,relay.c gate.c),)
$(call program,pumpgate-radsecd,$(addprefix radius_modules/radsec/,radsecd.c link.c tls.c confine.c),\
	radsec radsec_hop radius_packet registry_proto cage base,libevent_openssl openssl)
