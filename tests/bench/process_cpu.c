/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading other processes' CPU clocks: exact, where /proc/PID/stat counts in 10 ms. */
#include "tests/bench/process_cpu.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void process_list_parse(const char *text, struct process_list *out)
{
	*out = (struct process_list){0};
	while (*text) {
		char *end;
		long pid = strtol(text, &end, 10);

		if (end == text || pid <= 0 || (*end && *end != ',') || out->n == PROCESSES_MAX)
			errx(64, "'%s' is no list of process ids", text);
		out->pids[out->n++] = (pid_t)pid;
		text = *end ? end + 1 : end;
	}
	process_cpu_ns(out);
}

static int64_t one_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t id;

	if (clock_getcpuclockid(pid, &id) || clock_gettime(id, &ts))
		errx(1, "process %d is gone", (int)pid);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t process_cpu_ns(const struct process_list *l)
{
	int64_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += one_ns(l->pids[i]);
	return sum;
}

int64_t process_cpu_last_ns(const struct process_list *l)
{
	return l->n ? one_ns(l->pids[l->n - 1]) : 0;
}
