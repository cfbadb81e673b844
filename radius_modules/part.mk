# SPDX-License-Identifier: BSD-2-Clause
include radius_modules/packet/part.mk
include radius_modules/dispatch/part.mk
include radius_modules/radsec/part.mk
include radius_modules/rlm_pump/part.mk
include radius_modules/rlm_clinician/part.mk
