/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: verbs, their options, and what one call of pumpctl asks for. Pure; the table of
 * verbs comes in as an argument.
 */
#ifndef ENROLL_PUMPCTL_ARGS_H
#define ENROLL_PUMPCTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#define ARGS_OPERANDS_MAX 4
#define ARGS_GIVEN_MAX 24
#define ARGS_EXAMPLES 3

enum option_kind {
	OPTION_FLAG,
	OPTION_VALUE,
	OPTION_MAYBE_NUMBER, /* a value only when the next word starts with a digit */
};

struct option_spec {
	const char *name; /* without the dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	const char *value; /* how help calls it */
	const char *help;
	bool required;
};

struct call;

struct verb {
	const char *group; /* NULL: the verb stands by itself */
	const char *name;
	const char *operands;	  /* for help, such as "SERIAL" */
	unsigned n_operands;	  /* exactly so many, */
	unsigned n_operands_more; /* or up to so many more */
	const char *summary;
	const struct option_spec *options;
	size_t n_options;
	const char *examples[ARGS_EXAMPLES]; /* without the leading "pumpctl " */
	int (*run)(const struct call *call); /* returns the exit status */
};

struct given_option {
	const struct option_spec *spec;
	const char *value; /* NULL for a flag */
};

struct call {
	const struct verb *verb; /* NULL only with help or version */
	const char *group;	 /* help for a whole group */
	const char *home;	 /* NULL: not given */
	bool json;
	bool help;
	bool version;
	unsigned n_operands;
	const char *operands[ARGS_OPERANDS_MAX];
	unsigned n_given;
	struct given_option given[ARGS_GIVEN_MAX];
};

/* Global options (--home DIR, --json, --help, --version) may stand anywhere. Strings of `out` point
 * into argv. ERR_INVALID with what is wrong and how to go on; out->verb is then set as far as it
 * was understood. */
int args_parse(const struct verb *verbs, size_t n_verbs, int argc, const char *const argv[],
	       struct call *out) MUST_USE;

/* The value of an option, NULL when it was not given. */
const char *call_value(const struct call *call, const char *name);
bool call_flag(const struct call *call, const char *name);
/* A whole number within bounds, `fallback` when not given. ERR_INVALID. */
int call_number(const struct call *call, const char *name, unsigned long fallback,
		unsigned long min, unsigned long max, unsigned long *out) MUST_USE;

/* Help of one verb, of one group, or of the program (verb and group NULL). */
void args_help(FILE *to, const struct verb *verbs, size_t n_verbs, const struct call *call);

#endif
