/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate-dispatchd: carries out the registry's disconnect orders (RFC 5176). Three threads, since
 * calls to the registry block: the taker waits for orders, the loop sends and hears, the reporter
 * brings the results back. It keeps nothing on disk; what it had in hand when it died is given out
 * again by the registry.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/config.h"
#include "base/daemon.h"
#include "base/daemon_options.h"
#include "base/log.h"
#include "base/secret.h"
#include "radius_modules/dispatch/confine.h"
#include "radius_modules/dispatch/exchange.h"
#include "radius_modules/packet/radius_packet.h"
#include "radius_modules/dispatch/sender.h"
#include "sql/client/registry_client.h"

#define BATCH 256
#define TAKE_WAIT_MS 10000
#define CALL_SLACK_MS 5000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 1000
#define FLUSH_MS 2000

struct dispatchd {
	char socket[PATH_MAX];
	struct sender_radsec radsec;
	struct event_base *base;
	struct event *orders_came;
	struct exchange *exchange;
	struct sender *sender;
};

static const char usage[] =
	"usage: pumpgate-dispatchd [--home DIR]\n"
	"Sends RFC 5176 Disconnect-Requests for revoked pumps. Started by `pumpctl run` or "
	"a\n"
	"service manager; settings and socket are those of DIR (default $PUMPGATE_HOME, "
	"else\n"
	"/var/lib/pumpgate).\n"
	"\n"
	"  pumpgate-dispatchd --home /var/lib/pumpgate\n"
	"  pumpgate-dispatchd --version\n"
	"  pumpctl --home /var/lib/pumpgate pump revoke PG-000123   # makes work for it\n";

/* Waits after the n-th failure in a row, twice as long each time. */
static void back_off(unsigned *failures)
{
	long ms = BACKOFF_FIRST_MS << (*failures < 5 ? *failures : 5);
	struct timespec ts;

	ms = ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
	ts = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	nanosleep(&ts, NULL);
	(*failures)++;
}

/* One line when the registry goes and one when it is back, not one per attempt. */
static void registry_state_log(const char *task, int rc, unsigned failures)
{
	if (rc && failures == 0)
		LOG(LOG_WARN, "dispatch.registry_lost", LOG_S("task", task),
		    LOG_S("why", err_text()));
	else if (!rc && failures)
		LOG(LOG_INFO, "dispatch.registry_back", LOG_S("task", task),
		    LOG_U("failures", failures));
}

static struct ipc_client *client_new_or_exit(const struct dispatchd *d)
{
	struct ipc_client *client;

	if (ipc_client_new(d->socket, "dispatch", &client)) {
		LOG(LOG_ERROR, "dispatch.start_failed", LOG_S("why", err_text()));
		exit(1);
	}
	return client;
}

static void *taker(void *arg)
{
	static struct dispatch_order orders[BATCH]; /* this thread's alone */
	struct dispatchd *d = arg;
	struct ipc_client *client = client_new_or_exit(d);
	struct dispatch_take take = {.fresh = true, .wait_ms = TAKE_WAIT_MS};
	unsigned failures = 0;

	for (;;) {
		size_t room = exchange_room_wait(d->exchange), n = 0;
		int rc;

		take.max = (uint32_t)(room < BATCH ? room : BATCH);
		rc = registry_dispatch_take(client, &take, orders, take.max, &n,
					    TAKE_WAIT_MS + CALL_SLACK_MS);
		registry_state_log("take", rc, failures);
		if (rc) {
			take.fresh = true; /* what a lost answer held must be given out again */
			back_off(&failures);
			continue;
		}
		failures = 0;
		take.fresh = false;
		exchange_offer(d->exchange, orders, n);
	}
	return NULL;
}

static void *reporter(void *arg)
{
	static struct dispatch_result results[BATCH]; /* this thread's alone */
	struct dispatchd *d = arg;
	struct ipc_client *client = client_new_or_exit(d);
	unsigned failures = 0;

	for (;;) {
		size_t n = exchange_results_wait(d->exchange, results, BATCH);
		int rc = registry_dispatch_result(client, results, n, CALL_SLACK_MS);

		if (rc == ERR_INVALID || rc == ERR_NOT_FOUND || rc == ERR_CONFLICT) {
			/* It will not want them later either; it asks again what it still needs. */
			LOG(LOG_ERROR, "dispatch.report_refused", LOG_U("results", n),
			    LOG_S("why", err_text()));
			rc = 0;
		}
		registry_state_log("report", rc, failures);
		if (rc) {
			back_off(&failures);
			continue;
		}
		failures = 0;
		exchange_reported(d->exchange, n);
	}
	return NULL;
}

static void on_wake(void *ctx)
{
	struct dispatchd *d = ctx;

	event_active(d->orders_came, EV_READ, 0);
}

static void on_orders(evutil_socket_t fd, short what, void *ctx)
{
	struct dispatchd *d = ctx;
	struct dispatch_order order;

	(void)fd;
	(void)what;
	while (exchange_take(d->exchange, &order))
		sender_add(d->sender, &order);
	secret_wipe(&order, sizeof(order));
}

static void on_finished(const struct dispatch_result *result, void *ctx)
{
	struct dispatchd *d = ctx;

	exchange_finish(d->exchange, result);
}

/* One socket per NAS with orders; each order in hand may be for another NAS. */
static void descriptors_raise(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	if (r.rlim_cur < EXCHANGE_MAX + 64) {
		r.rlim_cur = r.rlim_max < EXCHANGE_MAX + 64 ? r.rlim_max : EXCHANGE_MAX + 64;
		if (setrlimit(RLIMIT_NOFILE, &r))
			LOG(LOG_WARN, "dispatch.few_descriptors", LOG_U("limit", r.rlim_cur));
	}
}

/* A home from before RadSec has no token yet: then nobody speaks it either. */
static int radsec_take(const char *home, struct sender_radsec *out)
{
	AUTO_CONFIG c = NULL;
	char path[PATH_MAX];
	uint32_t port;
	int rc = home_path(home, HOP_TOKEN_DISPATCH, path);

	if (rc)
		return rc;
	rc = hop_token_read(path, out->token);
	if (rc) {
		LOG(LOG_WARN, "dispatch.no_radsec", LOG_S("why", err_text()));
		return rc == ERR_NOT_FOUND ? 0 : rc;
	}
	if ((rc = home_path(home, "pumpgate.conf", path)) || (rc = config_read(path, &c)) ||
	    (rc = config_u32(c, "listen", "radsec_inner_port", 22084, 1, 65533, &port)))
		return rc;
	out->port = (uint16_t)(port + HOP_DISPATCH_OFFSET);
	return 0;
}

static int dispatchd_new(struct dispatchd *d)
{
	int rc;

	evthread_use_pthreads();
	d->base = event_base_new();
	d->orders_came = d->base ? event_new(d->base, -1, EV_PERSIST, on_orders, d) : NULL;
	if (!d->orders_came)
		return err_set(ERR_NOMEM, "no event loop");
	rc = exchange_new(on_wake, d, &d->exchange);
	return rc ? rc : sender_new(d->base, &d->radsec, on_finished, d, &d->sender);
}

/* The library reads its configuration when it is first used: before files are given up. */
static int crypto_prepare(void)
{
	struct radius_packet p;

	radius_begin(&p, RADIUS_DISCONNECT_REQUEST, 0);
	return radius_sign_request(&p, "-", 1);
}

static int dispatchd_run(struct dispatchd *d)
{
	pthread_t take, report;
	int rc = crypto_prepare();

	if (rc)
		return rc;
	if (pthread_create(&take, NULL, taker, d) || pthread_create(&report, NULL, reporter, d))
		return err_set(ERR_NOMEM, "no thread");
	pthread_detach(take);
	pthread_detach(report);
	rc = dispatch_confine();
	if (rc)
		return rc;
	LOG(LOG_INFO, "dispatch.started", LOG_S("registry", d->socket));
	rc = daemon_loop(d->base);
	exchange_flush(d->exchange, FLUSH_MS);
	LOG(LOG_INFO, "dispatch.stopped", LOG_U("status", rc));
	return rc;
}

int main(int argc, char **argv)
{
	static struct dispatchd d; /* the threads outlive main's frame */
	const char *home;
	int status;

	if (!daemon_options_only(argc, argv, "pumpgate-dispatchd", usage, &home, &status))
		return status;
	log_start("pumpgate-dispatchd", LOG_INFO);
	daemon_harden();
	descriptors_raise();
	if (home_path(home, REGISTRY_SOCKET, d.socket) || radsec_take(home, &d.radsec) ||
	    dispatchd_new(&d) || dispatchd_run(&d)) {
		LOG(LOG_ERROR, "dispatch.failed", LOG_S("why", err_text()));
		return 1;
	}
	return 0;
}
