/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices one password that is tried over many names. Knows keyed hashes only; pure. */
#ifndef SQL_CREDD_SPRAY_H
#define SQL_CREDD_SPRAY_H

#include <stdbool.h>
#include <stdint.h>

#define SPRAY_PASSWORDS 256 /* wrong passwords remembered; the one quiet longest is forgotten */
#define SPRAY_NAMES 10	    /* so many names with one password are told */
#define SPRAY_WINDOW_MS (30 * 60 * 1000)

struct spray {
	struct spray_password {
		uint64_t password; /* 0: free */
		uint64_t names[SPRAY_NAMES];
		unsigned n_names;
		bool told;
		int64_t first_ms;
		int64_t last_ms;
	} passwords[SPRAY_PASSWORDS];
};

/* A zeroed struct is empty. A wrong try: true once for a password within the window. */
bool spray_note(struct spray *s, uint64_t password, uint64_t name, int64_t now_ms);

#endif
