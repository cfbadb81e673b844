/* SPDX-License-Identifier: BSD-2-Clause */
/* What directory_source.c and directory_admin.c share. */
#ifndef SQL_CREDD_DIRECTORY_SOURCE_H
#define SQL_CREDD_DIRECTORY_SOURCE_H

#include "sql/credd/credd.h"
#include "sql/directory/directory.h"

struct people_source {
	struct directory *directory;
	pthread_mutex_t lock; /* of the list: pages of it are given out one after the other */
	struct directory_entry *list; /* by name; owned */
	size_t n_list;
};

#endif
