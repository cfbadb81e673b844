# SPDX-License-Identifier: BSD-2-Clause
$(call library,base,$(wildcard base/*.c),libsodium libevent libevent_pthreads inih libsystemd)
