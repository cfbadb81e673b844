/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the thread that speaks with the TPM. What is asked and answered is copied, under the lock:
 * an answer that comes too late is dropped.
 */
#include "pump_agent/login/chip.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"

#define END_MS 2000

enum chip_verb { CHIP_KEY_NEW, CHIP_MAC, CHIP_READ, CHIP_MAKE, CHIP_RAISE, CHIP_REMOVE };

struct chip_job {
	enum chip_verb verb;
	uint8_t auth[TPM_AUTH_BYTES];
	struct tpm_blob key; /* to be used, or made */
	uint8_t in[TPM_MAC_BYTES];
	uint8_t out[TPM_MAC_BYTES];
	uint64_t counter;
	int rc;
	char why[160];
};

struct chip {
	const struct chip_calls *calls;
	const char *tcti;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t to_do, done;
	/* under the lock */
	struct chip_job job;
	bool is_asked;	  /* until the thread is through with it */
	bool is_awaited;  /* by who asked */
	bool is_stopping; /* the thread frees everything when it finds that */
	/* the thread's */
	struct tpm_device *device;
	struct tpm_blob loaded;
};

/* ---- on the thread ---- */

static void device_close(struct chip *c)
{
	if (c->device)
		c->calls->close(c->device);
	c->device = NULL;
	c->loaded.len = 0;
}

static int key_have(struct chip *c, const struct chip_job *j)
{
	int rc;

	if (j->key.len && c->loaded.len == j->key.len &&
	    !memcmp(c->loaded.data, j->key.data, j->key.len))
		return 0;
	c->loaded.len = 0;
	rc = c->calls->key_load(c->device, j->auth, &j->key);
	if (!rc)
		c->loaded = j->key;
	return rc;
}

static int job_do(struct chip *c, struct chip_job *j)
{
	int rc = c->device ? 0 : c->calls->open(c->tcti, &c->device);

	if (rc)
		return rc;
	switch (j->verb) {
	case CHIP_KEY_NEW:
		return c->calls->key_new(c->device, j->auth, &j->key);
	case CHIP_MAC:
		rc = key_have(c, j);
		return rc ? rc : c->calls->mac(c->device, j->in, j->out);
	case CHIP_READ:
		return c->calls->counter_read(c->device, j->auth, &j->counter);
	case CHIP_MAKE:
		return c->calls->counter_make(c->device, j->auth, &j->counter);
	case CHIP_RAISE:
		return c->calls->counter_raise(c->device, j->auth, &j->counter);
	case CHIP_REMOVE:
		return c->calls->counter_remove(c->device);
	}
	return err_set(ERR_INTERNAL, "the TPM was asked nothing");
}

static void job_run(struct chip *c, struct chip_job *j)
{
	bool was_open = c->device != NULL;

	j->rc = job_do(c, j);
	if (j->rc == ERR_UNAVAILABLE)
		device_close(c);
	if (j->rc == ERR_UNAVAILABLE && was_open) /* a resource manager that was restarted */
		j->rc = job_do(c, j);
	if (j->rc == ERR_UNAVAILABLE)
		device_close(c);
	snprintf(j->why, sizeof(j->why), "%s", j->rc ? err_text() : "");
}

static void chip_end(struct chip *c)
{
	device_close(c);
	pthread_cond_destroy(&c->to_do);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
	secret_wipe(c, sizeof(*c));
	free(c);
}

static void *thread_main(void *arg)
{
	struct chip *c = arg;
	struct chip_job j;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!c->is_stopping && !c->is_asked)
			pthread_cond_wait(&c->to_do, &c->lock);
		if (c->is_stopping)
			break;
		j = c->job;
		pthread_mutex_unlock(&c->lock);
		job_run(c, &j);
		pthread_mutex_lock(&c->lock);
		if (c->is_awaited)
			c->job = j;
		c->is_asked = false;
		secret_wipe(&j, sizeof(j));
		pthread_cond_broadcast(&c->done);
	}
	pthread_mutex_unlock(&c->lock);
	chip_end(c);
	return NULL;
}

/* ---- whoever asks ---- */

static struct timespec deadline_in(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Under the lock. False: not within the time. */
static bool done_wait(struct chip *c, int wait_ms)
{
	struct timespec by = deadline_in(wait_ms);

	while (c->is_asked)
		if (pthread_cond_timedwait(&c->done, &c->lock, &by))
			return !c->is_asked;
	return true;
}

static int ask(struct chip *c, struct chip_job *j, int wait_ms)
{
	int rc;

	pthread_mutex_lock(&c->lock);
	if (c->is_asked) {
		pthread_mutex_unlock(&c->lock);
		return err_set(ERR_BUSY, "the TPM does not answer");
	}
	c->job = *j;
	c->is_asked = c->is_awaited = true;
	pthread_cond_signal(&c->to_do);
	if (done_wait(c, wait_ms)) {
		*j = c->job;
		rc = j->rc ? err_set(j->rc, "%s", j->why) : 0;
	} else {
		rc = err_set(ERR_TIMEOUT, "the TPM did not answer within %d ms", wait_ms);
	}
	c->is_awaited = false;
	secret_wipe(&c->job, sizeof(c->job));
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static struct chip_job job_of(enum chip_verb verb, const uint8_t auth[TPM_AUTH_BYTES])
{
	struct chip_job j = {.verb = verb};

	if (auth)
		memcpy(j.auth, auth, TPM_AUTH_BYTES);
	return j;
}

int chip_key_new(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], struct tpm_blob *out)
{
	struct chip_job j = job_of(CHIP_KEY_NEW, auth);
	int rc = ask(c, &j, CHIP_MAKE_MS);

	if (!rc)
		*out = j.key;
	secret_wipe(&j, sizeof(j));
	return rc;
}

int chip_mac(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], const struct tpm_blob *key,
	     const uint8_t in[TPM_MAC_BYTES], uint8_t out[TPM_MAC_BYTES])
{
	struct chip_job j = job_of(CHIP_MAC, auth);
	int rc;

	j.key = *key;
	memcpy(j.in, in, TPM_MAC_BYTES);
	rc = ask(c, &j, CHIP_MAC_MS);
	if (!rc)
		memcpy(out, j.out, TPM_MAC_BYTES);
	secret_wipe(&j, sizeof(j));
	return rc;
}

static int counter_ask(struct chip *c, enum chip_verb verb, const uint8_t auth[TPM_AUTH_BYTES],
		       int wait_ms, uint64_t *out)
{
	struct chip_job j = job_of(verb, auth);
	int rc = ask(c, &j, wait_ms);

	if (!rc)
		*out = j.counter;
	secret_wipe(&j, sizeof(j));
	return rc;
}

int chip_counter_read(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	return counter_ask(c, CHIP_READ, auth, CHIP_MAKE_MS, out);
}

int chip_counter_make(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	return counter_ask(c, CHIP_MAKE, auth, CHIP_MAKE_MS, out);
}

int chip_counter_raise(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	return counter_ask(c, CHIP_RAISE, auth, CHIP_COUNTER_MS, out);
}

int chip_counter_remove(struct chip *c)
{
	uint64_t unused;

	return counter_ask(c, CHIP_REMOVE, NULL, CHIP_MAKE_MS, &unused);
}

int chip_new(const struct chip_calls *calls, const char *tcti, struct chip **out)
{
	struct chip *c = calloc(1, sizeof(*c));
	pthread_condattr_t monotonic;

	if (!c)
		return err_set(ERR_NOMEM, "no memory for the TPM");
	c->calls = calls;
	c->tcti = tcti;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->to_do, NULL);
	pthread_cond_init(&c->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&c->thread, NULL, thread_main, c)) {
		chip_end(c);
		return err_set(ERR_NOMEM, "no thread for the TPM");
	}
	*out = c;
	return 0;
}

void chip_free(struct chip *c)
{
	pthread_t thread;
	bool hangs;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	hangs = !done_wait(c, END_MS);
	thread = c->thread;
	c->is_stopping = true;
	pthread_cond_signal(&c->to_do);
	pthread_mutex_unlock(&c->lock); /* from now on `c` is the thread's */
	if (hangs)
		pthread_detach(thread);
	else
		pthread_join(thread, NULL);
}

const struct chip_calls chip_tpm = {
	.open = tpm_device_open,
	.close = tpm_device_close,
	.key_new = tpm_device_key_new,
	.key_load = tpm_device_key_load,
	.mac = tpm_device_mac,
	.counter_read = tpm_device_counter_read,
	.counter_make = tpm_device_counter_make,
	.counter_raise = tpm_device_counter_raise,
	.counter_remove = tpm_device_counter_remove,
};
