/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the UDP sockets and timers towards the NAS. Never decides about retries or signatures:
 * lane.c does. */
#include "radius_modules/dispatch/sender.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "radius_modules/dispatch/lane.h"

#define ROAD_IDLE_US 5000000 /* then the socket is closed */
#define READS_PER_WAKE 128   /* a flood on one socket does not starve the others */

/* A lane with its socket. */
struct road {
	struct sender *sender;
	struct sockaddr_storage to;
	char nas[NAME_SIZE]; /* of RadSec, which share one address; else "" */
	struct lane lane;
	struct event *readable;
	struct event *timer;
	int fd;
	int64_t idle_since_us;
	uint64_t unverified_logged;
	LIST_ENTRY(road) next;
};

struct sender {
	struct event_base *base;
	struct sender_radsec radsec;
	void (*finish)(const struct dispatch_result *result, void *ctx);
	void *ctx;
	LIST_HEAD(, road) roads;
};

int sender_new(struct event_base *base, const struct sender_radsec *radsec,
	       void (*finish)(const struct dispatch_result *result, void *ctx), void *ctx,
	       struct sender **out)
{
	struct sender *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(ERR_NOMEM, "no memory for the sender");
	s->base = base;
	s->radsec = *radsec;
	s->finish = finish;
	s->ctx = ctx;
	LIST_INIT(&s->roads);
	*out = s;
	return 0;
}

static void road_free(struct road *r)
{
	if (!r)
		return;
	if (r->readable)
		event_free(r->readable);
	if (r->timer)
		event_free(r->timer);
	if (r->fd >= 0)
		close(r->fd);
	lane_done(&r->lane);
	free(r);
}

void sender_free(struct sender *s)
{
	struct road *r;

	if (!s)
		return;
	while ((r = LIST_FIRST(&s->roads))) {
		LIST_REMOVE(r, next);
		road_free(r);
	}
	secret_wipe(&s->radsec, sizeof(s->radsec));
	free(s);
}

/* ---- results ---- */

static void result_give(struct sender *s, const struct dispatch_order *o, const char *result,
			uint32_t error_cause, int64_t rtt_us, const char *detail)
{
	struct dispatch_result r = {.id = o->id,
				    .at = clock_wall_ms(),
				    .error_cause = error_cause,
				    .rtt_us = (uint32_t)rtt_us};

	/* Constants and err_text(): a cut sentence does no harm. */
	strncpy(r.result, result, sizeof(r.result) - 1);
	strncpy(r.detail, detail, sizeof(r.detail) - 1);
	s->finish(&r, s->ctx);
}

static void unsendable(struct sender *s, const struct dispatch_order *o)
{
	LOG(LOG_WARN, "dispatch.unsendable", LOG_U("order", o->id), LOG_S("device", o->device),
	    LOG_S("nas", o->nas), LOG_S("why", err_text()));
	result_give(s, o, "unsendable", 0, 0, err_text());
}

static void outcome_give(struct sender *s, const struct lane_outcome *end)
{
	static const char *const names[] = {
		[LANE_SILENT] = "silent", [LANE_NAK] = "nak", [LANE_ACK] = "ack"};
	static const char *const events[] = {[LANE_SILENT] = "dispatch.silent",
					     [LANE_NAK] = "dispatch.nak",
					     [LANE_ACK] = "dispatch.acked"};
	const struct dispatch_order *o = &end->flight->order;

	LOG(end->end == LANE_SILENT ? LOG_WARN : LOG_INFO, events[end->end], LOG_U("order", o->id),
	    LOG_S("device", o->device), LOG_S("nas", o->nas), LOG_U("attempt", o->attempt),
	    LOG_U("tries", end->flight->tries), LOG_U("rtt_us", end->rtt_us),
	    LOG_U("error_cause", end->error_cause), LOG_S("detail", end->detail));
	result_give(s, o, names[end->end], end->error_cause, end->rtt_us, end->detail);
	flight_free(end->flight);
}

/* ---- one NAS ---- */

static void road_timer_set(struct road *r, int64_t now_us)
{
	int64_t due_us = lane_due_us(&r->lane);
	struct timeval tv;

	if (lane_is_idle(&r->lane)) {
		r->idle_since_us = r->idle_since_us ? r->idle_since_us : now_us;
		due_us = r->idle_since_us + ROAD_IDLE_US;
	} else {
		r->idle_since_us = 0;
	}
	due_us = due_us > now_us ? due_us - now_us : 0;
	due_us = due_us < ROAD_IDLE_US ? due_us : ROAD_IDLE_US;
	tv = (struct timeval){.tv_sec = due_us / 1000000, .tv_usec = due_us % 1000000};
	event_add(r->timer, &tv);
}

static void road_step(struct road *r)
{
	int64_t now_us = clock_mono_us();
	uint32_t wall_s = (uint32_t)(clock_wall_ms() / 1000);
	struct lane_outcome end;
	const struct flight *f;

	while (lane_expire_next(&r->lane, now_us, &end))
		outcome_give(r->sender, &end);
	while ((f = lane_send_next(&r->lane, now_us, wall_s)))
		/* A packet that can't leave now is a lost one: it is sent again, then given up. */
		(void)!send(r->fd, f->packet, f->packet_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (r->lane.unverified != r->unverified_logged) {
		r->unverified_logged = r->lane.unverified;
		LOG(LOG_WARN, "dispatch.wrong_signature", LOG_U("answers", r->lane.unverified),
		    LOG_U("stray", r->lane.stray));
	}
	road_timer_set(r, now_us);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct road *r = ctx;
	uint8_t data[RADIUS_PACKET_MAX];
	struct lane_outcome end;

	(void)what;
	for (int i = 0; i < READS_PER_WAKE; i++) {
		ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		/* An error is the NAS's ICMP "port closed": it may be restarting, so go on. */
		if (n >= 0 && lane_answer(&r->lane, data, (size_t)n, clock_mono_us(), &end))
			outcome_give(r->sender, &end);
	}
	road_step(r);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct road *r = ctx;

	(void)fd;
	(void)what;
	if (lane_is_idle(&r->lane) && r->idle_since_us &&
	    clock_mono_us() - r->idle_since_us >= ROAD_IDLE_US) {
		LIST_REMOVE(r, next);
		road_free(r);
		return;
	}
	road_step(r);
}

static int road_open(struct sender *s, const struct sockaddr_storage *to, const char *nas,
		     struct road **out)
{
	socklen_t to_len =
		to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	struct road *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(ERR_NOMEM, "no memory for a NAS");
	lane_init(&r->lane);
	r->sender = s;
	r->to = *to;
	memcpy(r->nas, nas, strlen(nas) + 1);
	r->fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0 || connect(r->fd, (const struct sockaddr *)to, to_len)) {
		int rc = err_errno(ERR_IO, "no way to the NAS");

		road_free(r);
		return rc;
	}
	r->readable = event_new(s->base, r->fd, EV_READ | EV_PERSIST, on_readable, r);
	r->timer = evtimer_new(s->base, on_timer, r);
	if (!r->readable || !r->timer || event_add(r->readable, NULL)) {
		road_free(r);
		return err_set(ERR_NOMEM, "no memory for a NAS");
	}
	LIST_INSERT_HEAD(&s->roads, r, next);
	*out = r;
	return 0;
}

static int road_find(struct sender *s, const struct dispatch_order *order, struct road **out)
{
	const char *nas = order->radsec ? order->nas : "";
	struct sockaddr_storage to;
	struct road *r;
	int rc = disconnect_address(order, &to);

	if (rc)
		return rc;
	LIST_FOREACH (r, &s->roads, next) {
		if (!memcmp(&r->to, &to, sizeof(to)) && !strcmp(r->nas, nas)) {
			*out = r;
			return 0;
		}
	}
	return road_open(s, &to, nas, out);
}

/* To radsecd, which knows the NAS's connection; between us and it our token is the secret. */
static int radsec_address(const struct sender *s, struct dispatch_order *order)
{
	if (!s->radsec.port)
		return err_set(ERR_UNAVAILABLE, "no way to radsecd; do: pumpctl init");
	memcpy(order->nas_ip, "127.0.0.1", sizeof("127.0.0.1"));
	order->das_port = s->radsec.port;
	order->secret.len = HOP_TOKEN_CHARS;
	memcpy(order->secret.data, s->radsec.token, HOP_TOKEN_CHARS);
	return 0;
}

void sender_add(struct sender *s, struct dispatch_order *order)
{
	struct flight *f = NULL;
	struct road *r = NULL;
	int rc = order->radsec ? radsec_address(s, order) : 0;

	if (!rc)
		rc = flight_new(order, &f);
	secret_wipe(&order->secret, sizeof(order->secret));
	if (!rc)
		rc = road_find(s, order, &r);
	if (rc == ERR_INVALID) {
		unsendable(s, order);
	} else if (rc) { /* this machine's trouble, not the order's: the registry asks again */
		LOG(LOG_ERROR, "dispatch.not_sent", LOG_U("order", order->id),
		    LOG_S("nas", order->nas), LOG_S("why", err_text()));
		result_give(s, order, "silent", 0, 0, err_text());
	}
	if (rc) {
		flight_free(f);
		return;
	}
	lane_add(&r->lane, f);
	r->idle_since_us = 0;
	/* Sent from the timer, once the whole batch is queued. */
	event_active(r->timer, EV_TIMEOUT, 0);
}
