/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the hand-over between dispatchd's threads. Never does I/O. */
#include "radius_modules/dispatch/exchange.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"

struct exchange {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*wake)(void *ctx);
	void *wake_ctx;
	uint64_t in_hand[EXCHANGE_MAX]; /* order ids, unsorted */
	size_t n_in_hand;
	struct dispatch_order orders[EXCHANGE_MAX]; /* ring */
	size_t orders_at, n_orders;
	struct dispatch_result results[EXCHANGE_MAX]; /* ring */
	size_t results_at, n_results;
};

int exchange_new(void (*wake)(void *ctx), void *ctx, struct exchange **out)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return err_set(ERR_NOMEM, "no memory for the exchange");
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->changed, NULL);
	x->wake = wake;
	x->wake_ctx = ctx;
	*out = x;
	return 0;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	pthread_cond_destroy(&x->changed);
	pthread_mutex_destroy(&x->lock);
	secret_wipe(x->orders, sizeof(x->orders));
	free(x);
}

size_t exchange_room_wait(struct exchange *x)
{
	size_t room;

	pthread_mutex_lock(&x->lock);
	while (x->n_in_hand == EXCHANGE_MAX)
		pthread_cond_wait(&x->changed, &x->lock);
	room = EXCHANGE_MAX - x->n_in_hand;
	pthread_mutex_unlock(&x->lock);
	return room;
}

/* Position in in_hand, or n_in_hand. */
static size_t in_hand_find(const struct exchange *x, uint64_t id)
{
	size_t i = 0;

	while (i < x->n_in_hand && x->in_hand[i] != id)
		i++;
	return i;
}

void exchange_offer(struct exchange *x, struct dispatch_order *orders, size_t n)
{
	size_t added = 0;

	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < n && x->n_in_hand < EXCHANGE_MAX; i++) {
		if (in_hand_find(x, orders[i].id) < x->n_in_hand)
			continue;
		x->in_hand[x->n_in_hand++] = orders[i].id;
		x->orders[(x->orders_at + x->n_orders++) % EXCHANGE_MAX] = orders[i];
		added++;
	}
	pthread_mutex_unlock(&x->lock);
	for (size_t i = 0; i < n; i++)
		secret_wipe(&orders[i].secret, sizeof(orders[i].secret));
	if (added)
		x->wake(x->wake_ctx);
}

bool exchange_take(struct exchange *x, struct dispatch_order *out)
{
	bool any;

	pthread_mutex_lock(&x->lock);
	any = x->n_orders > 0;
	if (any) {
		*out = x->orders[x->orders_at];
		secret_wipe(&x->orders[x->orders_at], sizeof(*out));
		x->orders_at = (x->orders_at + 1) % EXCHANGE_MAX;
		x->n_orders--;
	}
	pthread_mutex_unlock(&x->lock);
	return any;
}

void exchange_finish(struct exchange *x, const struct dispatch_result *result)
{
	pthread_mutex_lock(&x->lock);
	x->results[(x->results_at + x->n_results++) % EXCHANGE_MAX] = *result;
	pthread_cond_broadcast(&x->changed);
	pthread_mutex_unlock(&x->lock);
}

size_t exchange_results_wait(struct exchange *x, struct dispatch_result *out, size_t max)
{
	size_t n;

	pthread_mutex_lock(&x->lock);
	while (!x->n_results)
		pthread_cond_wait(&x->changed, &x->lock);
	n = x->n_results < max ? x->n_results : max;
	for (size_t i = 0; i < n; i++)
		out[i] = x->results[(x->results_at + i) % EXCHANGE_MAX];
	pthread_mutex_unlock(&x->lock);
	return n;
}

void exchange_reported(struct exchange *x, size_t n)
{
	pthread_mutex_lock(&x->lock);
	for (; n && x->n_results; n--) {
		size_t i = in_hand_find(x, x->results[x->results_at].id);

		if (i < x->n_in_hand)
			x->in_hand[i] = x->in_hand[--x->n_in_hand];
		x->results_at = (x->results_at + 1) % EXCHANGE_MAX;
		x->n_results--;
	}
	pthread_cond_broadcast(&x->changed);
	pthread_mutex_unlock(&x->lock);
}

void exchange_flush(struct exchange *x, int wait_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&x->lock);
	while (x->n_results && !pthread_cond_timedwait(&x->changed, &x->lock, &until))
		;
	pthread_mutex_unlock(&x->lock);
}
