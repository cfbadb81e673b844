/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the field lists of the records about break-glass codes. */
#include "sql/proto/glass_records.h"

RECORD_DESCRIBE(glass_want, GLASS_WANT_FIELDS)
RECORD_DESCRIBE(glass_issued, GLASS_ISSUED_FIELDS)
RECORD_DESCRIBE(glass, GLASS_FIELDS)
RECORD_DESCRIBE(glass_review, GLASS_REVIEW_FIELDS)
RECORD_DESCRIBE(glass_void, GLASS_VOID_FIELDS)
RECORD_DESCRIBE(glass_count, GLASS_COUNT_FIELDS)
