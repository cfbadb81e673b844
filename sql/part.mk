# SPDX-License-Identifier: BSD-2-Clause
$(call library,registry_proto,$(wildcard sql/proto/*.c),)
