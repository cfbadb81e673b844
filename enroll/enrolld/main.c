/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpgate-enrolld: reads its settings, opens its socket, gives up what it no longer needs, serves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "base/daemon.h"
#include "base/daemon_options.h"
#include "base/log.h"
#include "enroll/enrolld/confine.h"
#include "enroll/enrolld/report_service.h"
#include "enroll/enrolld/server.h"
#include "enroll/enrolld/settings.h"
#include "enroll/enrolld/status_port.h"
#include "sql/proto/registry_verbs.h"

#define SIGNER_THREADS 16 /* as many as signerd works on at once */
#define SIGNER_QUEUE 1000 /* every connection may wait: turned away, it would shake hands anew */
#define FILES_MAX (SERVER_CONNECTIONS_MAX + STATUS_CONNECTIONS_MAX + 100)

struct enrolld {
	struct event_base *base;
	SSL_CTX *tls;
	struct est_service service;
	struct server *server;
	struct status_service status;
	struct status_port *port; /* NULL: no HTTP port is asked for */
};

static const char usage[] =
	"usage: pumpgate-enrolld [--home DIR]\n"
	"\n"
	"Enrolls pumps over EST (RFC 7030). Started by pumpctl run or systemd.\n"
	"\n"
	"  --home DIR   state folder (else $PUMPGATE_HOME, else /var/lib/pumpgate)\n"
	"  --version    print the version\n"
	"  --help       this text\n"
	"\n"
	"examples:\n"
	"  pumpctl --home /tmp/pg init && pumpctl --home /tmp/pg run\n"
	"  pumpgate-enrolld --home /tmp/pg\n"
	"  curl --cacert /tmp/pg/trust/server.pem "
	"https://127.0.0.1:21443/.well-known/est/cacerts\n";

static void job_done(struct signer_job *signer_job, void *ctx)
{
	struct enrolld *d = ctx;
	struct est_job *job = (struct est_job *)(void *)signer_job;
	struct conn *waiter = job->waiting.conn;
	AUTO_EST_ANSWER answer = {.head = {.status = 500}};
	int rc = est_service_finish(&d->service, job, &answer);

	if (rc)
		LOG(LOG_ERROR, "enroll.answer_lost", LOG_S("why", err_text()));
	if (waiter)
		conn_answer(waiter, rc ? NULL : &answer);
}

static void report_job_done(struct report_job *job, void *ctx)
{
	struct enrolld *d = ctx;
	struct conn *waiter = job->waiting.conn;
	AUTO_EST_ANSWER answer = {.head = {.status = 500}};
	int rc;

	if (!job->rc &&
	    *job->answer.wipe_order) /* its statement may be here before the next list */
		renewal_watch_wipe_told(d->service.renewals, job->answer.wipe_order);
	rc = report_service_finish(job, &answer);
	if (rc)
		LOG(LOG_ERROR, "report.answer_lost", LOG_S("why", err_text()));
	if (waiter)
		conn_answer(waiter, rc ? NULL : &answer);
}

static void status_job_done(struct status_job *job, void *ctx)
{
	(void)ctx;
	if (job->waiter)
		status_conn_answer(job->waiter, job);
	status_job_free(job);
}

static int trust_set_up(struct enrolld *d, const char *home)
{
	AUTO_TRUST server = {.n = 0};
	AUTO_TRUST device = {.n = 0};
	char path[PATH_MAX];
	int rc;

	buf_init(&d->service.cacerts, EST_ANSWER_MAX);
	if ((rc = home_path(home, "trust/server.pem", path)) || (rc = trust_read(path, &server)) ||
	    (rc = home_path(home, "trust/device.pem", path)) || (rc = trust_read(path, &device)) ||
	    (rc = trust_cacerts_build(&device, &server, &d->service.cacerts)))
		return rc;
	return tls_context_new(home, &server, &device, d->service.makers, &d->tls);
}

static int service_set_up(struct enrolld *d, const char *home)
{
	char signer[PATH_MAX], registry[PATH_MAX];
	int rc;

	if ((rc = home_path(home, SIGNER_SOCKET, signer)) ||
	    (rc = home_path(home, REGISTRY_SOCKET, registry)) ||
	    (rc = throttle_new(&d->service.throttle)) ||
	    (rc = makers_new(registry, &d->service.makers)) ||
	    (rc = event_poster_new(registry, &d->service.events)) ||
	    (rc = renewal_watch_new(registry, &d->service.renewals)) ||
	    (rc = report_asker_new(d->base, registry, report_job_done, d, &d->service.reports)))
		return rc;
	return signer_pool_new(d->base, signer, SIGNER_THREADS, SIGNER_QUEUE, job_done, d,
			       &d->service.pool);
}

static int status_set_up(struct enrolld *d, const char *home,
			 const struct enrolld_settings *settings)
{
	char signer[PATH_MAX];
	int rc;

	if (!settings->http_port)
		return 0;
	if ((rc = home_path(home, SIGNER_SOCKET, signer)) ||
	    (rc = status_asker_new(d->base, signer, status_job_done, d, &d->status.asker)))
		return rc;
	return status_port_new(d->base, settings->address, settings->http_port, &d->status,
			       &d->port);
}

/* Connections, and some for sockets to the services. */
static void file_limit_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_MAX)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		LOG(LOG_WARN, "enroll.few_files", LOG_U("max", limit.rlim_cur));
}

static int serve(struct enrolld *d, const char *home)
{
	struct enrolld_settings settings;
	int rc;

	file_limit_raise();
	d->base = event_base_new();
	if (!d->base)
		return err_set(ERR_NOMEM, "no memory for the event loop");
	if ((rc = enrolld_settings_read(home, &settings)) || (rc = service_set_up(d, home)) ||
	    (rc = trust_set_up(d, home)))
		return rc;
	d->service.labels = settings.labels;
	d->service.renewal_spread_ms = settings.renewal_spread_ms;
	if ((rc = server_new(d->base, settings.address, settings.port, d->tls, &d->service,
			     &d->server)) ||
	    (rc = status_set_up(d, home, &settings)) || (rc = confine()))
		return rc;
	LOG(LOG_INFO, "enroll.ready", LOG_S("address", settings.address),
	    LOG_U("port", settings.port), LOG_U("http_port", settings.http_port),
	    LOG_U("labels", settings.labels.n));
	return daemon_loop(d->base);
}

static void enrolld_done(struct enrolld *d)
{
	status_port_free(d->port);
	status_asker_free(d->status.asker);
	server_free(d->server);
	signer_pool_free(d->service.pool);
	event_poster_free(d->service.events);
	report_asker_free(d->service.reports);
	renewal_watch_free(d->service.renewals);
	throttle_free(d->service.throttle);
	buf_done(&d->service.cacerts);
	SSL_CTX_free(d->tls);
	makers_free(d->service.makers);
	if (d->base)
		event_base_free(d->base);
}

int main(int argc, char **argv)
{
	struct enrolld d = {.base = NULL};
	const char *home;
	int rc;

	log_start("enrolld", LOG_INFO);
	if (!daemon_options_only(argc, argv, "pumpgate-enrolld", usage, &home, &rc))
		return rc;
	daemon_harden();
	/* Every setting is ours: no openssl.cnf of the machine changes what TLS allows. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	rc = serve(&d, home);
	if (rc)
		LOG(LOG_ERROR, "enroll.failed", LOG_S("why", err_text()));
	enrolld_done(&d);
	return rc ? 1 : 0;
}
