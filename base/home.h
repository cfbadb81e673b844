/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folders of a service in the state folder: HOME/NAME for what it alone may see, HOME/run/NAME
 * for its socket; and the lock that keeps a second process of it away.
 */
#ifndef BASE_HOME_H
#define BASE_HOME_H

#include "base/err.h"

/* Makes what is missing of HOME, HOME/run, HOME/run/NAME and HOME/NAME, with the rights that other
 * services' users need to pass through. ERR_IO, ERR_LIMIT. */
int home_folders_make(const char *home, const char *name) MUST_USE;

/* Takes HOME/NAME/lock, which ends with the process or with close(*fd_out). ERR_BUSY: another
 * process has it; ERR_IO, ERR_LIMIT. */
int home_lock(const char *home, const char *name, int *fd_out) MUST_USE;

#endif
