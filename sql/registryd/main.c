/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate-registryd: keeper of the registry and the session database, and the only program that
 * opens them. Faces a Unix socket; never the network.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/daemon_options.h"
#include "base/home.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/registryd/service.h"
#include "sql/store/backup.h"

#define WRITER_JOBS 4096
#define WRITER_BATCH 32 /* of which issuances share a commit */
#define EVENT_JOBS 8192
#define QUERY_JOBS 256
#define SLOW_JOBS 32
#define CONNECTIONS_MAX 512
#define IN_FLIGHT_MAX 256

static const char usage[] =
	"Usage: pumpgate-registryd [--home DIR] [init | restore BACKUP]\n"
	"\n"
	"Keeps Pumpgate's registry and session database and serves them on\n"
	"DIR/run/registry/sock. DIR is --home, else $PUMPGATE_HOME, else /var/lib/pumpgate.\n"
	"\n"
	"  init       create or upgrade the databases, and end\n"
	"  restore    put the backup in the folder BACKUP in their place, and end; what they\n"
	"             were is kept in DIR/registry/before-restore-TIME\n"
	"  --help     this text\n"
	"  --version  the version\n"
	"\n"
	"Examples:\n"
	"  pumpgate-registryd --home /tmp/pumpgate init\n"
	"  pumpgate-registryd --home /tmp/pumpgate\n"
	"  PUMPGATE_HOME=/srv/pumpgate pumpgate-registryd\n";

static int folders_make(struct service *s, const char *home)
{
	int rc = home_folders_make(home, "registry");

	if (!rc)
		rc = home_path(home, "registry/registry.db", s->registry_path);
	return rc ? rc : home_path(home, "registry/sessions.db", s->sessions_path);
}

/* What an earlier process put into its map of standings is believed for a lease at most. */
static void lease_wait(int64_t since_us)
{
	int64_t left_us;

	while ((left_us = since_us + STANDING_LEASE_US - clock_mono_us()) > 0)
		usleep((useconds_t)left_us);
}

/* Nothing is changed before the lease of the process before is over. ERR_BUSY. */
static int registry_lock(const char *home, int *fd_out)
{
	int rc = home_lock(home, "registry", fd_out);

	if (!rc)
		lease_wait(clock_mono_us());
	return rc;
}

static int restore_settle(const char *home, char aside[PATH_MAX])
{
	char folder[PATH_MAX];
	int rc = home_path(home, "registry", folder);

	if (!rc)
		rc = backup_settle(folder, aside);
	if (!rc && *aside)
		LOG(LOG_WARN, "registry.restored", LOG_S("old", aside));
	return rc ? err_add(rc, "finishing a restore") : 0;
}

/* A restore that was cut short is finished first. */
static int databases_upgrade(const struct service *s, const char *home)
{
	char aside[PATH_MAX];
	unsigned from, to;
	int rc = restore_settle(home, aside);

	if (!rc)
		rc = store_upgrade(s->registry_path, &from, &to);
	if (!rc && from != to)
		LOG(LOG_INFO, "registry.schema", LOG_U("from", from), LOG_U("to", to));
	if (!rc)
		rc = session_store_upgrade(s->sessions_path, &from, &to);
	if (!rc && from != to)
		LOG(LOG_INFO, "sessions.schema", LOG_U("from", from), LOG_U("to", to));
	return rc;
}

struct workers {
	struct writer *writer;
	struct event_worker *events;
	struct reader *queries[2];
	struct reader *slow;
};

static int workers_open(struct service *s, const char *home, struct workers *w)
{
	int rc = store_open(s->registry_path, STORE_LOOKUP, &s->facts);

	if (!rc)
		rc = writer_new(s, &w->writer);
	if (!rc)
		rc = event_worker_new(s, home, &w->events);
	if (!rc)
		rc = reader_new(s, &w->queries[0]);
	if (!rc)
		rc = reader_new(s, &w->queries[1]);
	if (!rc)
		rc = reader_new(s, &w->slow);
	return rc;
}

static int lanes_start(struct service *s, const struct workers *w)
{
	struct lane_options writer = {.name = "writer",
				      .n_threads = 1,
				      .workers = {w->writer},
				      .max_jobs = WRITER_JOBS,
				      .batch_max = WRITER_BATCH,
				      .run = writer_run,
				      .idle = writer_idle};
	struct lane_options events = {.name = "events",
				      .n_threads = 1,
				      .workers = {w->events},
				      .max_jobs = EVENT_JOBS,
				      .batch_max = LANE_BATCH_MAX,
				      .run = event_worker_run,
				      .idle = event_worker_idle};
	struct lane_options queries = {.name = "queries",
				       .n_threads = 2,
				       .workers = {w->queries[0], w->queries[1]},
				       .max_jobs = QUERY_JOBS,
				       .batch_max = 1,
				       .run = queries_run};
	struct lane_options slow = {.name = "slow",
				    .n_threads = 1,
				    .workers = {w->slow},
				    .max_jobs = SLOW_JOBS,
				    .batch_max = 1,
				    .run = queries_run};
	int rc = lane_new(&writer, &s->writer); /* first: events make work for it */

	if (!rc)
		rc = backups_new(s, &s->backups);
	if (!rc)
		rc = lane_new(&events, &s->events);
	if (!rc)
		rc = lane_new(&queries, &s->queries);
	return rc ? rc : lane_new(&slow, &s->slow);
}

/* Ends the lanes in the order in which they make work for each other, then their connections. */
static void service_stop(struct service *s, struct workers *w)
{
	bool over;

	backups_free(s->backups);
	lane_stop(s->slow);
	lane_stop(s->queries);
	lane_stop(s->events);
	over = s->events && event_worker_finish(w->events);
	lane_stop(s->writer);
	writer_free(w->writer);
	standings_free(s->standings);
	s->standings = NULL;
	ipc_server_free(s->server);
	event_worker_free(w->events, over);
	for (int i = 0; i < 2; i++)
		reader_free(w->queries[i]);
	reader_free(w->slow);
	store_close(s->facts);
	roles_done(s);
}

/* The socket is open to other users only where [users] names some; who may speak is decided by the
 * peer's uid either way (docs/decisions/0010). */
static int listen_start(struct service *s, struct event_base *base, const char *home, bool shared)
{
	static char path[PATH_MAX];
	struct ipc_server_options o = {.path = path,
				       .mode = shared ? 0666 : 0600,
				       .group = (gid_t)-1,
				       .max_connections = CONNECTIONS_MAX,
				       .max_in_flight = IN_FLIGHT_MAX,
				       .roles = s->roles,
				       .n_roles = SERVICE_ROLES + ADMIN_KINDS,
				       .ctx = s};
	int rc = home_path(home, REGISTRY_SOCKET, path);

	return rc ? rc : ipc_server_new(base, &o, &s->server);
}

static void beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	standings_beat(arg);
}

/* The map of standings is believed while this loop turns. */
static int beat_start(struct service *s, struct event_base *base, struct event **out)
{
	const struct timeval every = {.tv_usec = STANDING_BEAT_US};

	if (!s->standings)
		return 0;
	standings_beat(s->standings);
	*out = event_new(base, -1, EV_PERSIST, beat, s->standings);
	if (!*out || event_add(*out, &every))
		return err_set(ERR_NOMEM, "no memory for the beat");
	return 0;
}

static int serve(const char *home)
{
	static struct service s;
	struct workers w = {0};
	struct event_base *base;
	struct event *beats = NULL;
	bool shared = false;
	int lock = -1, rc;

	evthread_use_pthreads();
	base = event_base_new();
	s.started_at = clock_wall_ms();
	rc = base ? folders_make(&s, home) : err_set(ERR_NOMEM, "no memory for the event loop");
	if (!rc)
		rc = roles_init(&s, home, &shared);
	if (!rc)
		rc = rules_init(&s, home);
	if (!rc)
		rc = registry_lock(home, &lock);
	if (!rc)
		rc = databases_upgrade(&s, home);
	if (!rc)
		rc = workers_open(&s, home, &w);
	if (!rc)
		rc = lanes_start(&s, &w);
	if (!rc)
		rc = beat_start(&s, base, &beats);
	if (!rc)
		rc = listen_start(&s, base, home, shared);
	if (!rc) {
		LOG(LOG_INFO, "registryd.ready", LOG_S("home", home),
		    LOG_S("version", PUMPGATE_VERSION));
		rc = daemon_loop(base);
	}
	if (rc)
		LOG(LOG_ERROR, "registryd.failed", LOG_S("why", err_text()));
	if (beats)
		event_free(beats);
	service_stop(&s, &w);
	if (base)
		event_base_free(base);
	if (lock >= 0)
		close(lock);
	if (!rc)
		LOG(LOG_INFO, "registryd.ended", LOG_S("home", home));
	return rc;
}

static int init(const char *home)
{
	static struct service s;
	AUTO_STORE registry = NULL;
	AUTO_SESSION_STORE sessions = NULL;
	int lock = -1, rc = folders_make(&s, home);

	if (!rc)
		rc = registry_lock(home, &lock);
	if (rc == ERR_BUSY) { /* fine, if what runs is as new as we are */
		rc = store_open(s.registry_path, STORE_READ, &registry);
		return rc ? rc : session_store_open(s.sessions_path, STORE_READ, &sessions);
	}
	if (!rc)
		rc = databases_upgrade(&s, home);
	if (lock >= 0)
		close(lock);
	return rc;
}

static int restore(const char *home, const char *backup)
{
	static struct service s;
	const struct action by = {.actor = "registryd", .at = clock_wall_ms()};
	struct backup_state state = {0};
	char folder[PATH_MAX], aside[PATH_MAX] = "";
	int lock = -1, rc = folders_make(&s, home);

	if (!rc)
		rc = registry_lock(home, &lock);
	if (rc == ERR_BUSY)
		rc = err_set(rc, "stop pumpgate-registryd first: it is using %s", home);
	if (!rc)
		rc = restore_settle(home, aside); /* an earlier one */
	if (!rc)
		rc = home_path(home, "registry", folder);
	if (!rc)
		rc = backup_stage(backup, folder, &by, &state);
	if (!rc)
		rc = restore_settle(home, aside);
	if (!rc)
		printf("%s\n", aside);
	if (lock >= 0)
		close(lock);
	return rc;
}

static int command_run(const char *home, int argc, char *argv[], bool *wrong_out)
{
	*wrong_out = false;
	if (argc == 0)
		return serve(home);
	if (argc == 1 && !strcmp(argv[0], "init"))
		return init(home);
	if (argc == 2 && !strcmp(argv[0], "restore"))
		return restore(home, argv[1]);
	*wrong_out = true;
	return ERR_INVALID;
}

int main(int argc, char **argv)
{
	const char *home;
	bool wrong = false;
	int rc;

	log_start("registryd", LOG_INFO);
	daemon_harden();
	if (!daemon_options(argc, argv, "pumpgate-registryd", usage, &home, &rc))
		return rc;
	rc = command_run(home, argc - optind, argv + optind, &wrong);
	if (wrong) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (rc && optind < argc) /* serve has logged it */
		fprintf(stderr, "pumpgate-registryd: %s\n", err_text());
	return rc == ERR_BUSY ? EXIT_RETRY : rc ? 1 : 0;
}
