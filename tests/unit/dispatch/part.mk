# SPDX-License-Identifier: BSD-2-Clause
$(call test,dispatch/test_radius_packet,tests/unit/dispatch/test_radius_packet.c,radius_packet base,)
