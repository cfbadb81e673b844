/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the directory what credd would ask: commands on standard input, one answer line each.
 *   login NAME [PASSWORD]   find NAME   list   health   many N NAME PASSWORD (N threads at once)
 * For tests: passwords stand in the clear on standard input.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sql/directory/directory.h"

#define WAIT_US 8000000
#define THREADS_MAX 64

static void person_print(const struct directory_person *p)
{
	printf(" account=%s name=%s state=%s roles=", p->account, p->name,
	       directory_verdict_name(p->state));
	for (size_t i = 0; i < p->n_roles; i++)
		printf("%s%s/%s/%s", i ? "," : "", p->roles[i].role, p->roles[i].ward,
		       p->roles[i].model);
}

static void answer_print(int rc, const struct directory_answer *a, int64_t started_us)
{
	if (rc) {
		printf("error %s %s\n", err_name(rc), err_text());
		return;
	}
	printf("%s", directory_verdict_name(a->verdict));
	person_print(&a->person);
	printf(" server=%s ms=%" PRId64 " note=%s\n", a->server,
	       (clock_mono_us() - started_us) / 1000, a->note);
}

static int person_list(void *user, const struct directory_person *p)
{
	(void)user;
	printf("person");
	person_print(p);
	printf("\n");
	return 0;
}

struct job {
	struct directory *d;
	const char *name, *password;
	pthread_t thread;
	bool good;
};

static void *job_run(void *user)
{
	struct job *j = user;
	struct directory_answer a;

	j->good = !directory_login(j->d, j->name, j->password, strlen(j->password),
				   clock_mono_us() + WAIT_US, &a) &&
		  a.verdict == DIRECTORY_GOOD;
	return NULL;
}

static void many(struct directory *d, unsigned n, const char *name, const char *password)
{
	struct job jobs[THREADS_MAX];
	unsigned started, good = 0;
	int64_t at = clock_mono_us();

	for (started = 0; started < n && started < THREADS_MAX; started++) {
		jobs[started] = (struct job){.d = d, .name = name, .password = password};
		if (pthread_create(&jobs[started].thread, NULL, job_run, &jobs[started]))
			break;
	}
	for (unsigned i = 0; i < started; i++) {
		pthread_join(jobs[i].thread, NULL);
		good += jobs[i].good;
	}
	printf("good=%u of=%u ms=%" PRId64 "\n", good, started, (clock_mono_us() - at) / 1000);
}

static void health(struct directory *d)
{
	struct directory_health h[DIRECTORY_SERVERS_MAX];
	size_t n = directory_health(d, h, DIRECTORY_SERVERS_MAX);

	for (size_t i = 0; i < n; i++)
		printf("%s%s open=%d failures=%u text=%s", i ? " | " : "", h[i].server, h[i].open,
		       h[i].failures, h[i].text);
	printf("\n");
}

static void command(struct directory *d, char *line)
{
	struct directory_answer a;
	int64_t now = clock_mono_us();
	char *save, *verb = strtok_r(line, " ", &save), *name = strtok_r(NULL, " ", &save);

	if (verb && !strcmp(verb, "login") && name)
		answer_print(directory_login(d, name, save, strlen(save), now + WAIT_US, &a), &a,
			     now);
	else if (verb && !strcmp(verb, "find") && name)
		answer_print(directory_find(d, name, now + WAIT_US, &a), &a, now);
	else if (verb && !strcmp(verb, "list")) {
		int rc =
			directory_list(d, name ? strtoul(name, NULL, 10) : 1000, person_list, NULL);

		printf("%s %s\n", rc ? err_name(rc) : "end", rc ? err_text() : "");
	} else if (verb && !strcmp(verb, "health"))
		health(d);
	else if (verb && !strcmp(verb, "many") && name) {
		char *who = strtok_r(NULL, " ", &save);

		many(d, (unsigned)strtoul(name, NULL, 10), who, save);
	} else
		printf("no such command\n");
}

int main(int argc, char **argv)
{
	AUTO_CONFIG conf = NULL;
	AUTO_DIRECTORY d = NULL;
	char line[4096];
	int rc = argc == 2 ? config_read(argv[1], &conf) : err_set(ERR_INVALID, "usage: FILE");

	if (!rc)
		rc = directory_new(conf, &d);
	if (!rc && !d)
		rc = err_set(ERR_NOT_FOUND, "no [directory]");
	if (rc) {
		fprintf(stderr, "%s\n", err_text());
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		command(d, line);
	}
	return 0;
}
