/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HOME/radius/makers.pem: the anchors that FreeRADIUS takes birth certificates by. FreeRADIUS reads
 * it once, at its start. It is never empty, which FreeRADIUS would not take: without makers it
 * holds a certificate whose key was thrown away when it was made.
 */
#ifndef ENROLL_PUMPCTL_MAKER_FILE_H
#define ENROLL_PUMPCTL_MAKER_FILE_H

#include "enroll/pumpctl/settings.h"
#include "sql/proto/registry_records.h"

/* With the anchors of these makers. *changed is set when the file was written: with other anchors,
 * or where there was none. Blocks on the disk. ERR_DENIED, ERR_IO, ERR_CRYPTO. */
int maker_file_write(const struct settings *s, const struct maker *makers, size_t n,
		     bool *changed) MUST_USE;

/* Makes it where it is missing, without makers. */
int maker_file_have(const struct settings *s, bool *changed) MUST_USE;

#endif
