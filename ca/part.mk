# SPDX-License-Identifier: BSD-2-Clause
$(call library,signer_proto,$(wildcard ca/proto/*.c),)
