# SPDX-License-Identifier: BSD-2-Clause
$(call library,cage,base/cage.c,libseccomp)
$(call library,base,$(filter-out base/cage.c,$(wildcard base/*.c)),libsodium libevent_core libevent_pthreads inih)
