/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate-credd: keeper of the clinicians' accounts, and the only program that opens their
 * database. Faces a Unix socket; can't be reached from the network.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/daemon_options.h"
#include "base/home.h"
#include "base/log.h"
#include "base/secret.h"
#include "sql/credd/commands.h"
#include "sql/credd/credd.h"
#include "sql/proto/cred_verbs.h"

#define HASH_WAIT_US 1000000 /* who would wait longer is told at once to try again */
#define HASH_JOBS_MIN 4
#define HASH_JOBS_MAX 512
#define CONTACT_JOBS 1024
#define DIRECTORY_JOBS 128
#define WRITER_JOBS 1024
#define WRITER_BATCH 64
#define ADMIN_JOBS 64
#define CONNECTIONS_MAX 128
#define IN_FLIGHT_MAX 256
#define PUMPS_MAX 8192	 /* with wrong tries, lately */
#define SOURCES_MAX 4096 /* likewise */

static const char usage[] =
	"Usage: pumpgate-credd [--home DIR] [init | backup NEW | check OLD | restore OLD]\n"
	"\n"
	"Keeps the accounts of clinicians and verifies their logins at pumps, on\n"
	"DIR/run/cred/sock. DIR is --home, else $PUMPGATE_HOME, else /var/lib/pumpgate.\n"
	"\n"
	"  init       create or upgrade the database, and end\n"
	"  backup     copy the database into the new folder NEW while it is in use, and end;\n"
	"             without DIR/cred/pepper, which is to be kept apart\n"
	"  check      say whether the backup in the folder OLD could be restored, and end\n"
	"  restore    put it in the database's place, and end; what that was is kept in\n"
	"             DIR/cred/before-restore-TIME\n"
	"  --help     this text\n"
	"  --version  the version\n"
	"\n"
	"Examples:\n"
	"  pumpgate-credd --home /tmp/pumpgate init\n"
	"  pumpgate-credd --home /tmp/pumpgate\n"
	"  pumpgate-credd --home /tmp/pumpgate backup /tmp/clinicians-2026-11-22\n"
	"  PUMPGATE_HOME=/srv/pumpgate pumpgate-credd\n";

struct workers {
	struct cred_worker *hashing[HASH_THREADS_MAX];
	struct cred_worker *directory[DIRECTORY_THREADS];
	struct cred_worker *contacts;
	struct cred_worker *writer;
	struct cred_worker *admin;
};

static int folders_make(struct credd *c)
{
	int rc = home_folders_make(c->home, "cred");

	return rc ? rc : home_path(c->home, "cred/clinicians.db", c->people_path);
}

/* Database and pepper. A pepper is made for a database without accounts alone: another one would
 * make every password wrong. */
static int state_open(struct credd *c)
{
	AUTO_PEOPLE people = NULL;
	struct cred_status st = {0};
	char pepper[PATH_MAX];
	struct people_gap gap;
	unsigned from, to;
	int rc = command_settle(c->home);

	if (!rc)
		rc = people_upgrade(c->people_path, &from, &to);
	if (!rc && from != to)
		LOG(LOG_INFO, "clinicians.schema", LOG_U("from", from), LOG_U("to", to));
	if (!rc)
		rc = command_catch_up(c->people_path, &gap);
	if (!rc)
		rc = people_open(c->people_path, false, &people);
	if (!rc)
		rc = people_status(people, clock_wall_ms(), &st);
	if (!rc)
		rc = home_path(c->home, "cred/pepper", pepper);
	if (!rc)
		rc = hasher_new(pepper, st.users == 0, c->settings.argon2_memory_kib,
				c->settings.argon2_passes, &c->hasher);
	return rc;
}

static int workers_open(struct credd *c, struct workers *w)
{
	int rc = worker_new(c, true, &w->writer);

	if (!rc)
		rc = worker_new(c, false, &w->admin);
	if (!rc)
		rc = worker_new(c, false, &w->contacts);
	for (unsigned i = 0; !rc && i < c->settings.hash_threads; i++)
		rc = worker_new(c, false, &w->hashing[i]);
	for (unsigned i = 0; !rc && c->source.verify && i < DIRECTORY_THREADS; i++)
		rc = worker_new(c, false, &w->directory[i]);
	return rc;
}

/* As many as are done within HASH_WAIT_US, by what the first hash took. */
static size_t hashing_jobs(const struct credd *c)
{
	uint32_t cost_us = hasher_cost_us(c->hasher);
	size_t jobs = (size_t)c->settings.hash_threads * HASH_WAIT_US / (cost_us ? cost_us : 1);

	return jobs < HASH_JOBS_MIN ? HASH_JOBS_MIN : jobs > HASH_JOBS_MAX ? HASH_JOBS_MAX : jobs;
}

/* Its threads step back behind whatever else of ours wakes on their processor: they inherit that
 * they are batch work (sched(7)) from the thread that starts them. */
static int hashing_start(struct credd *c, const struct lane_options *o)
{
	const struct sched_param none = {0};
	int rc;

	if (sched_setscheduler(0, SCHED_BATCH, &none))
		return err_errno(ERR_IO, "batch scheduling");
	rc = lane_new(o, &c->hashing);
	if (sched_setscheduler(0, SCHED_OTHER, &none) && !rc)
		rc = err_errno(ERR_IO, "usual scheduling");
	return rc;
}

static int lanes_start(struct credd *c, struct workers *w)
{
	struct lane_options writer = {.name = "writer",
				      .n_threads = 1,
				      .workers = {w->writer},
				      .max_jobs = WRITER_JOBS,
				      .batch_max = WRITER_BATCH,
				      .run = writer_run};
	struct lane_options admin = {.name = "admin",
				     .n_threads = 1,
				     .workers = {w->admin},
				     .max_jobs = ADMIN_JOBS,
				     .batch_max = 1,
				     .run = admin_run};
	struct lane_options directory = {.name = "directory",
					 .n_threads = DIRECTORY_THREADS,
					 .max_jobs = DIRECTORY_JOBS,
					 .batch_max = 1,
					 .run = directory_run};
	struct lane_options hashing = {.name = "hashing",
				       .n_threads = c->settings.hash_threads,
				       .max_jobs = hashing_jobs(c),
				       .batch_max = 1,
				       .run = hashing_run};
	struct lane_options contacts = {.name = "contacts",
					.n_threads = 1,
					.workers = {w->contacts},
					.max_jobs = CONTACT_JOBS,
					.batch_max = 1,
					.run = hashing_run};
	int rc = lane_new(&writer, &c->writer);

	for (unsigned i = 0; i < HASH_THREADS_MAX; i++)
		hashing.workers[i] = w->hashing[i];
	for (unsigned i = 0; i < DIRECTORY_THREADS; i++)
		directory.workers[i] = w->directory[i];
	if (!rc)
		rc = lane_new(&admin, &c->admin);
	if (!rc && c->source.verify)
		rc = lane_new(&directory, &c->directory);
	if (!rc)
		rc = lane_new(&contacts, &c->contacts);
	return rc ? rc : hashing_start(c, &hashing);
}

/* In the order in which the lanes make work for each other. */
static void credd_stop(struct credd *c, struct workers *w)
{
	lane_stop(c->hashing);
	lane_stop(c->contacts);
	lane_stop(c->directory);
	lane_stop(c->admin);
	lane_stop(c->writer);
	ipc_server_free(c->server);
	for (unsigned i = 0; i < HASH_THREADS_MAX; i++)
		worker_free(w->hashing[i]);
	for (unsigned i = 0; i < DIRECTORY_THREADS; i++)
		worker_free(w->directory[i]);
	worker_free(w->contacts);
	worker_free(w->admin);
	worker_free(w->writer);
	source_close(c);
	hasher_free(c->hasher);
	throttle_free(c->throttle);
	secret_wipe(c->hash_key, sizeof(c->hash_key));
}

static int listen_start(struct credd *c)
{
	static char path[PATH_MAX];
	struct ipc_server_options o = {.path = path,
				       .mode = c->shared ? 0666 : 0600,
				       .group = (gid_t)-1,
				       .max_connections = CONNECTIONS_MAX,
				       .max_in_flight = IN_FLIGHT_MAX,
				       .roles = c->roles,
				       .n_roles = CRED_ROLES + ADMIN_KINDS,
				       .ctx = c};
	int rc = home_path(c->home, CRED_SOCKET, path);

	return rc ? rc : ipc_server_new(c->base, &o, &c->server);
}

static int credd_new(struct credd *c, const char *home)
{
	int rc = str_copy(c->home, sizeof(c->home), home);

	c->started_at = clock_wall_ms();
	pthread_mutex_init(&c->lock, NULL);
	secret_fill_random(c->hash_key, sizeof(c->hash_key));
	if (!rc && sodium_init() < 0)
		rc = err_set(ERR_CRYPTO, "libsodium does not start");
	if (!rc)
		rc = folders_make(c);
	return rc ? rc : cred_settings_read(c);
}

static int serve(const char *home)
{
	static struct credd c;
	struct workers w = {0};
	int lock = -1, rc = credd_new(&c, home);

	evthread_use_pthreads();
	c.base = event_base_new();
	if (!rc && !c.base)
		rc = err_set(ERR_NOMEM, "no memory for the event loop");
	if (!rc)
		rc = home_lock(home, "cred", &lock);
	if (!rc)
		rc = state_open(&c);
	if (!rc)
		rc = throttle_new(PUMPS_MAX, SOURCES_MAX, &c.throttle);
	if (!rc)
		rc = source_open(&c);
	if (!rc)
		rc = workers_open(&c, &w);
	if (!rc)
		rc = lanes_start(&c, &w);
	if (!rc)
		rc = listen_start(&c);
	if (!rc)
		rc = credd_confine(c.source.verify != NULL);
	if (!rc) {
		LOG(LOG_INFO, "credd.ready", LOG_S("home", home),
		    LOG_S("version", PUMPGATE_VERSION), LOG_U("hash_us", hasher_cost_us(c.hasher)));
		rc = daemon_loop(c.base);
	}
	if (rc)
		LOG(LOG_ERROR, "credd.failed", LOG_S("why", err_text()));
	credd_stop(&c, &w);
	if (c.base)
		event_base_free(c.base);
	if (lock >= 0)
		close(lock);
	if (!rc)
		LOG(LOG_INFO, "credd.ended", LOG_S("home", home));
	return rc;
}

static int init(const char *home)
{
	static struct credd c;
	AUTO_PEOPLE people = NULL;
	int lock = -1, rc = credd_new(&c, home);

	if (!rc)
		rc = home_lock(home, "cred", &lock);
	if (rc == ERR_BUSY) /* fine, if what runs is as new as we are */
		return people_open(c.people_path, false, &people);
	if (!rc)
		rc = state_open(&c);
	hasher_free(c.hasher);
	if (lock >= 0)
		close(lock);
	return rc;
}

static int restore(const char *home, const char *from, bool dry)
{
	static struct credd c;
	int lock = -1, rc = credd_new(&c, home);

	if (!rc)
		rc = home_lock(home, "cred", &lock);
	if (rc == ERR_BUSY)
		rc = err_set(rc, "stop pumpgate-credd first: it is using %s", home);
	if (!rc)
		rc = command_restore(home, from, dry);
	if (lock >= 0)
		close(lock);
	return rc;
}

/* One that works on the home and ends; *wrong_out: there is no such command. */
static int command_run(const char *home, int argc, char **argv, bool *wrong_out)
{
	int rc;

	*wrong_out = false;
	if (argc == 1 && !strcmp(argv[0], "init"))
		rc = init(home);
	else if (argc == 2 && !strcmp(argv[0], "backup"))
		rc = command_backup(home, argv[1]);
	else if (argc == 2 && (!strcmp(argv[0], "check") || !strcmp(argv[0], "restore")))
		rc = restore(home, argv[1], !strcmp(argv[0], "check"));
	else
		*wrong_out = true, rc = ERR_INVALID;
	if (rc && !*wrong_out)
		fprintf(stderr, "pumpgate-credd: %s\n", err_text());
	return rc;
}

int main(int argc, char **argv)
{
	const char *home;
	bool wrong = false;
	int rc;

	log_start("credd", LOG_INFO);
	daemon_harden();
	if (!daemon_options(argc, argv, "pumpgate-credd", usage, &home, &rc))
		return rc;
	rc = optind == argc ? serve(home) : command_run(home, argc - optind, argv + optind, &wrong);
	if (wrong) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return rc == ERR_BUSY ? EXIT_RETRY : rc ? 1 : 0;
}
