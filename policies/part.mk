# SPDX-License-Identifier: BSD-2-Clause
$(call library,policies,$(wildcard policies/*.c),)
