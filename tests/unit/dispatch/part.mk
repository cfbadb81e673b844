# SPDX-License-Identifier: BSD-2-Clause
$(call test,dispatch/test_radius_packet,tests/unit/dispatch/test_radius_packet.c,radius_packet base,)
$(call test,dispatch/test_lane,tests/unit/dispatch/test_lane.c,\
	dispatch radius_packet registry_proto base,)
$(call test,dispatch/test_exchange,tests/unit/dispatch/test_exchange.c,\
	dispatch registry_proto base,)
$(call test,dispatch/test_dispatchd,tests/unit/dispatch/test_dispatchd.c,\
	radius_packet registry_proto base,)
ifeq ($(SAN),) # a sanitized program needs files: no cage around it
$(call test,dispatch/test_dispatch_confine,tests/unit/dispatch/test_dispatch_confine.c \
	radius_modules/dispatch/confine.c,cage base,)
endif
