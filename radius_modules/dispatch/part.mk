# SPDX-License-Identifier: BSD-2-Clause
$(call library,dispatch,$(addprefix radius_modules/dispatch/,disconnect.c lane.c exchange.c),)
$(call program,pumpgate-dispatchd,$(addprefix radius_modules/dispatch/,dispatchd.c sender.c confine.c),\
	dispatch radsec_hop radius_packet registry_proto cage base,)
