/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the backup that is being made: a lane of its own, so that neither pumps nor people wait for
 * it. It writes into HOME/registry only; where the files go from there is pumpctl's business, as
 * the user that runs it.
 */
#include "sql/registryd/service.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/registryd/writer.h"
#include "sql/store/backup.h"
#include "sql/store/backup_folder.h"

struct backups {
	struct service *service;
	struct lane *lane;
	atomic_bool stop;
	pthread_mutex_t lock;
	struct backup_state state; /* under the lock */
};

struct backup_job {
	struct lane_job job;
	char actor[LABEL_SIZE];
	char folder[PATH_MAX];
};

static bool step(void *ctx, uint64_t done, uint64_t total)
{
	struct backups *b = ctx;

	pthread_mutex_lock(&b->lock);
	b->state.done = done;
	b->state.total = total;
	pthread_mutex_unlock(&b->lock);
	return !atomic_load(&b->stop);
}

static void outcome_keep(struct backups *b, int rc, const struct backup_state *made)
{
	pthread_mutex_lock(&b->lock);
	snprintf(b->state.state, sizeof(b->state.state), "%s", rc ? "failed" : "done");
	if (rc) {
		snprintf(b->state.text, sizeof(b->state.text), "%s", err_text());
	} else {
		b->state.devices = made->devices;
		b->state.certificates = made->certificates;
		b->state.audit_rows = made->audit_rows;
		memcpy(b->state.audit_head, made->audit_head, sizeof(made->audit_head));
	}
	pthread_mutex_unlock(&b->lock);
}

static void run(struct lane_job **jobs, size_t n, void *worker)
{
	struct backups *b = worker;

	for (size_t i = 0; i < n; i++) {
		struct backup_job *job = (struct backup_job *)(void *)jobs[i];
		const struct action by = {.actor = job->actor, .at = clock_wall_ms()};
		struct backup_state made = {0};
		int rc = backup_make(b->service->registry_path, b->service->sessions_path,
				     job->folder, &by, step, b, &made);

		LOG(rc ? LOG_ERROR : LOG_INFO, "backup.create", LOG_S("by", job->actor),
		    LOG_S("outcome", rc ? err_text() : "done"), LOG_S("folder", job->folder),
		    LOG_U("devices", made.devices), LOG_U("audit_rows", made.audit_rows));
		if (!rc) {
			struct followup f = {.kind = FOLLOWUP_BACKUP, .at = by.at};

			memcpy(f.actor, job->actor, sizeof(f.actor));
			writer_follow_up(b->service, &f);
		}
		outcome_keep(b, rc, &made);
		free(job);
	}
}

int backups_new(struct service *s, struct backups **out)
{
	struct backups *b = calloc(1, sizeof(*b));
	struct lane_options o = {.name = "backup",
				 .n_threads = 1,
				 .workers = {b},
				 .max_jobs = 1,
				 .batch_max = 1,
				 .run = run};
	int rc;

	if (!b)
		return err_set(ERR_NOMEM, "no memory for backups");
	b->service = s;
	snprintf(b->state.state, sizeof(b->state.state), "none");
	pthread_mutex_init(&b->lock, NULL);
	rc = lane_new(&o, &b->lane);
	if (rc) {
		backups_free(b);
		return rc;
	}
	*out = b;
	return 0;
}

void backups_free(struct backups *b)
{
	if (!b)
		return;
	atomic_store(&b->stop, true);
	lane_stop(b->lane);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* Under the lock. */
static int start(struct backups *b, const char *actor)
{
	struct backup_job *job = calloc(1, sizeof(*job));
	char name[LABEL_SIZE], registry[PATH_MAX];
	char *slash;
	int rc = 0;

	if (!job)
		return err_set(ERR_NOMEM, "no memory for a backup");
	snprintf(name, sizeof(name), "backup-%" PRId64, clock_wall_ms());
	memcpy(job->actor, actor, sizeof(job->actor));
	memcpy(registry, b->service->registry_path, sizeof(registry));
	slash = strrchr(registry, '/');
	if (slash)
		*slash = '\0';
	rc = folder_path(registry, name, job->folder);
	if (!rc)
		rc = lane_put(b->lane, &job->job, 0);
	if (rc) {
		free(job);
		return rc;
	}
	b->state = (struct backup_state){.state = "running"};
	snprintf(b->state.folder, sizeof(b->state.folder), "%s", name);
	return 0;
}

void verb_backup(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct backup_query *q = ipc_request_record(rq);
	char actor[LABEL_SIZE];
	struct backup_state now;
	int rc = 0;

	actor_name(rq, actor);
	pthread_mutex_lock(&s->backups->lock);
	if (q->start)
		rc = strcmp(s->backups->state.state, "running")
			     ? start(s->backups, actor)
			     : err_set(ERR_BUSY, "a backup is being made");
	now = s->backups->state;
	pthread_mutex_unlock(&s->backups->lock);
	if (rc)
		ipc_request_fail(rq, rc);
	else
		ipc_request_reply(rq, &now, 1);
}
