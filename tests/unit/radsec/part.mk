# SPDX-License-Identifier: BSD-2-Clause
$(call test,radsec/test_radsec,tests/unit/radsec/test_radsec.c,radsec radsec_hop radius_packet base,)
