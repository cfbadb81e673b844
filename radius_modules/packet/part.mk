# SPDX-License-Identifier: BSD-2-Clause
# Pure: also the pump's agent builds on it.
$(call library,radius_packet,radius_modules/packet/radius_packet.c,libcrypto)
