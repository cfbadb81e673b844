/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU time that other processes have used so far, all their threads, in nanoseconds. */
#ifndef TESTS_BENCH_PROCESS_CPU_H
#define TESTS_BENCH_PROCESS_CPU_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESSES_MAX 8

struct process_list {
	pid_t pids[PROCESSES_MAX];
	size_t n;
};

/* From "PID[,PID...]". Ends the program when that is no list of running processes. */
void process_list_parse(const char *text, struct process_list *out);
/* The sum over the list. Ends the program when one of them is gone: its figure would be wrong. */
int64_t process_cpu_ns(const struct process_list *l);
/* Of the last in the list alone; 0 when the list is empty. */
int64_t process_cpu_last_ns(const struct process_list *l);

#endif
