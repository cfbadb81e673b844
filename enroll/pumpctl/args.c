/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of the command line. Never does what it asks for. */
#include "enroll/pumpctl/args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec global_options[] = {
	{"home", 0, OPTION_VALUE, "DIR", "state folder (else $PUMPGATE_HOME, /var/lib/pumpgate)",
	 false},
	{"json", 0, OPTION_FLAG, NULL, "output for programs", false},
	{"help", 'h', OPTION_FLAG, NULL, "this help", false},
	{"version", 0, OPTION_FLAG, NULL, "version of the program", false},
};
#define N_GLOBAL (sizeof(global_options) / sizeof(global_options[0]))

struct words {
	int argc;
	const char *const *argv;
	int at;
	bool only_operands; /* after -- */
};

static const struct option_spec *spec_find(const struct option_spec *specs, size_t n,
					   const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if ((strlen(specs[i].name) == len && !strncmp(specs[i].name, name, len)) ||
		    (len == 1 && specs[i].letter == name[0]))
			return &specs[i];
	return NULL;
}

static bool is_option(const struct words *w, const char *word)
{
	return !w->only_operands && word[0] == '-' && word[1] != '\0';
}

static void verb_words(const struct verb *verb, char out[64])
{
	if (verb)
		snprintf(out, 64, "%s%s%s ", verb->group ? verb->group : "", verb->group ? " " : "",
			 verb->name);
	else
		out[0] = '\0';
}

static int given_add(struct call *out, const struct option_spec *spec, const char *value)
{
	for (unsigned i = 0; i < out->n_given; i++)
		if (out->given[i].spec == spec)
			return err_set(ERR_INVALID, "--%s is given twice", spec->name);
	if (out->n_given == ARGS_GIVEN_MAX)
		return err_set(ERR_INVALID, "too many options");
	out->given[out->n_given++] = (struct given_option){spec, value};
	return 0;
}

static int global_take(struct call *out, const struct option_spec *spec, const char *value)
{
	if (spec == &global_options[0]) {
		if (!*value)
			return err_set(ERR_INVALID, "--home needs a folder");
		out->home = value;
	} else if (spec == &global_options[1]) {
		out->json = true;
	} else if (spec == &global_options[2]) {
		out->help = true;
	} else {
		out->version = true;
	}
	return 0;
}

/* The value of an option at w->at - 1: what follows "=", else the next word. */
static int value_take(struct words *w, const struct option_spec *spec, const char *inline_value,
		      const char **out)
{
	const char *next = w->at < w->argc ? w->argv[w->at] : NULL;

	*out = inline_value;
	if (spec->kind == OPTION_FLAG)
		return inline_value ? err_set(ERR_INVALID, "--%s takes no value", spec->name) : 0;
	if (inline_value)
		return 0;
	if (spec->kind == OPTION_MAYBE_NUMBER && (!next || !isdigit((unsigned char)next[0])))
		return 0;
	if (!next || !strncmp(next, "--", 2))
		return err_set(ERR_INVALID, "--%s needs a value: --%s %s", spec->name, spec->name,
			       spec->value);
	*out = next;
	w->at++;
	return 0;
}

static int option_take(struct words *w, struct call *out)
{
	const char *word = w->argv[w->at++];
	bool is_long = word[1] == '-';
	const char *name = word + (is_long ? 2 : 1);
	const char *equals = is_long ? strchr(name, '=') : NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_spec *spec = NULL;
	const struct option_spec *global;
	const char *value;
	char verb[64];
	int rc;

	if (is_long == (len == 1))
		len = 0; /* "-json", "--n": no such option */
	global = spec_find(global_options, N_GLOBAL, name, len);
	if (!global && out->verb)
		spec = spec_find(out->verb->options, out->verb->n_options, name, len);
	if (!global && !spec) {
		verb_words(out->verb, verb);
		return err_set(ERR_INVALID, "no option %.32s here; see: pumpctl %s--help", word,
			       verb);
	}
	rc = value_take(w, global ? global : spec, equals ? equals + 1 : NULL, &value);
	if (rc)
		return rc;
	return global ? global_take(out, global, value) : given_add(out, spec, value);
}

/* Skips global options up to the next word; NULL at the end. */
static int word_take(struct words *w, struct call *out, const char **word)
{
	*word = NULL;
	while (w->at < w->argc) {
		int rc;

		if (!is_option(w, w->argv[w->at])) {
			*word = w->argv[w->at++];
			return 0;
		}
		rc = option_take(w, out);
		if (rc)
			return rc;
	}
	return 0;
}

static bool group_exists(const struct verb *verbs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (verbs[i].group && !strcmp(verbs[i].group, name))
			return true;
	return false;
}

static const struct verb *verb_find(const struct verb *verbs, size_t n, const char *group,
				    const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(verbs[i].name, name) &&
		    (group ? verbs[i].group && !strcmp(verbs[i].group, group) : !verbs[i].group))
			return &verbs[i];
	return NULL;
}

static int verb_take(const struct verb *verbs, size_t n, struct words *w, struct call *out)
{
	const char *first, *second;
	int rc = word_take(w, out, &first);

	if (rc)
		return rc;
	if (!first)
		return out->help || out->version
			       ? 0
			       : err_set(ERR_INVALID, "what shall be done? see: pumpctl --help");
	if (!group_exists(verbs, n, first)) {
		out->verb = verb_find(verbs, n, NULL, first);
		return out->verb ? 0
				 : err_set(ERR_INVALID, "no verb '%.32s'; see: pumpctl --help",
					   first);
	}
	out->group = first;
	rc = word_take(w, out, &second);
	if (rc)
		return rc;
	if (!second)
		return out->help ? 0
				 : err_set(ERR_INVALID, "pumpctl %s what? see: pumpctl %s --help",
					   first, first);
	out->verb = verb_find(verbs, n, first, second);
	return out->verb ? 0
			 : err_set(ERR_INVALID, "no verb '%s %.32s'; see: pumpctl %s --help", first,
				   second, first);
}

static int operands_check(const struct call *out)
{
	const struct verb *v = out->verb;
	char verb[64];

	verb_words(v, verb);
	if (out->n_operands < v->n_operands || out->n_operands > v->n_operands + v->n_operands_more)
		return err_set(ERR_INVALID, "usage: pumpctl %s%s%s", verb, v->operands,
			       v->n_options ? " [options]" : "");
	for (size_t i = 0; i < v->n_options; i++)
		if (v->options[i].required && !call_value(out, v->options[i].name))
			return err_set(ERR_INVALID, "--%s %s is missing; see: pumpctl %s--help",
				       v->options[i].name, v->options[i].value, verb);
	return 0;
}

int args_parse(const struct verb *verbs, size_t n_verbs, int argc, const char *const argv[],
	       struct call *out)
{
	struct words w = {argc, argv, 1, false};
	int rc;

	memset(out, 0, sizeof(*out));
	rc = verb_take(verbs, n_verbs, &w, out);
	if (rc)
		return rc;
	while (w.at < w.argc) {
		const char *word = w.argv[w.at];

		if (!w.only_operands && !strcmp(word, "--")) {
			w.only_operands = true;
			w.at++;
		} else if (is_option(&w, word)) {
			rc = option_take(&w, out);
			if (rc)
				return rc;
		} else if (out->n_operands == ARGS_OPERANDS_MAX) {
			return err_set(ERR_INVALID, "too many words: %.32s", word);
		} else {
			out->operands[out->n_operands++] = word;
			w.at++;
		}
	}
	if (out->help || out->version)
		return 0;
	return operands_check(out);
}

const char *call_value(const struct call *call, const char *name)
{
	for (unsigned i = 0; i < call->n_given; i++)
		if (!strcmp(call->given[i].spec->name, name))
			return call->given[i].value;
	return NULL;
}

bool call_flag(const struct call *call, const char *name)
{
	for (unsigned i = 0; i < call->n_given; i++)
		if (!strcmp(call->given[i].spec->name, name))
			return true;
	return false;
}

int call_number(const struct call *call, const char *name, unsigned long fallback,
		unsigned long min, unsigned long max, unsigned long *out)
{
	const char *text = call_value(call, name);
	unsigned long v;
	char *end;

	if (!text) {
		*out = fallback;
		return 0;
	}
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || !isdigit((unsigned char)text[0]) || *end || v < min || v > max)
		return err_set(ERR_INVALID, "--%s %.32s: must be a number from %lu to %lu", name,
			       text, min, max);
	*out = v;
	return 0;
}

static void option_help(FILE *to, const struct option_spec *o)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value ? " " : "",
		 o->value ? o->value : "");
	if (o->letter)
		snprintf(left + strlen(left), sizeof(left) - strlen(left), ", -%c", o->letter);
	fprintf(to, "  %-26s %s%s\n", left, o->help, o->required ? " (needed)" : "");
}

static void verb_help(FILE *to, const struct verb *v)
{
	char words[64];

	verb_words(v, words);
	fprintf(to, "usage: pumpctl %s%s%s\n\n%s.\n", words, v->operands,
		v->n_options ? " [options]" : "", v->summary);
	if (v->n_options)
		fputs("\nOptions:\n", to);
	for (size_t i = 0; i < v->n_options; i++)
		option_help(to, &v->options[i]);
	fputs("\nOptions of every verb:\n", to);
	for (size_t i = 0; i < N_GLOBAL; i++)
		option_help(to, &global_options[i]);
	fputs("\nExamples:\n", to);
	for (size_t i = 0; i < ARGS_EXAMPLES; i++)
		fprintf(to, "  pumpctl %s\n", v->examples[i]);
}

void args_help(FILE *to, const struct verb *verbs, size_t n_verbs, const struct call *call)
{
	if (call->verb) {
		verb_help(to, call->verb);
		return;
	}
	fprintf(to, "usage: pumpctl [--home DIR] [--json] %s [options]\n\n",
		call->group ? call->group : "VERB");
	for (size_t i = 0; i < n_verbs; i++) {
		char words[64], left[96];

		if (call->group && (!verbs[i].group || strcmp(verbs[i].group, call->group)))
			continue;
		verb_words(&verbs[i], words);
		snprintf(left, sizeof(left), "%s%s", words, verbs[i].operands);
		fprintf(to, "  %-26s %s\n", left, verbs[i].summary);
	}
	fputs("\nEach verb explains itself: pumpctl VERB --help\n"
	      "Exit status: 0 done, 1 failed, 2 nothing to do, 64 wrong usage, 75 try again\n",
	      to);
}
