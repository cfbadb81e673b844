# SPDX-License-Identifier: BSD-2-Clause
$(call library,radius_packet,radius_modules/dispatch/radius_packet.c,libcrypto)
