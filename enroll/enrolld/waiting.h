/* SPDX-License-Identifier: BSD-2-Clause */
/* The tie between a connection and the job that it waits for; part of each kind of job. */
#ifndef ENROLL_ENROLLD_WAITING_H
#define ENROLL_ENROLLD_WAITING_H

struct waiting {
	void *conn; /* who gets the answer; NULL once that is gone */
};

#endif
