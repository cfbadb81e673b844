/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table of tpm2-tss's calls. Never unloads what it has loaded. */
#include "pump_agent/tpm_library.h"

#ifdef PUMPGATE_STATIC

int tpm_library_have(const struct tpm_library **out)
{
	(void)out;
	return err_set(ERR_UNAVAILABLE, "this agent is static and knows no TPM");
}

#else

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tpm_library library; /* under lock until is_there */
static bool is_there;

/* A handle is kept by the loader: asking for the same file again costs a look. */
static int call_find(const char *file, const char *name, void *out, size_t size)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	void *call = handle ? dlsym(handle, name) : NULL;

	if (!call)
		return err_set(ERR_UNAVAILABLE, "tpm2-tss: %s", dlerror());
	memcpy(out, &call, size); /* POSIX: a function's address fits */
	return 0;
}

static int library_load(void)
{
	int rc = 0;

#define TPM_LIBRARY_FIND(file, name) \
	rc = rc ? rc : call_find(file, #name, &library.name, sizeof(library.name));
	TPM_LIBRARY_CALLS(TPM_LIBRARY_FIND)
	return rc;
}

int tpm_library_have(const struct tpm_library **out)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!is_there)
		rc = library_load();
	is_there = !rc;
	pthread_mutex_unlock(&lock);
	if (!rc)
		*out = &library;
	return rc;
}

#endif
