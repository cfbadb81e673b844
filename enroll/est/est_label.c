/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the terms behind labels. Pure: never reads a file. */
#include "enroll/est/est_label.h"

#include <stdio.h>
#include <string.h>

static const char *const key_names[] = {
	[EST_KEY_ANY] = "any",		 [EST_KEY_EC_P256] = "ec-p256",
	[EST_KEY_EC_P384] = "ec-p384",	 [EST_KEY_RSA_2048] = "rsa-2048",
	[EST_KEY_RSA_3072] = "rsa-3072", [EST_KEY_RSA_4096] = "rsa-4096",
};
#define N_KEYS (sizeof(key_names) / sizeof(key_names[0]))

const char *est_key_name(enum est_key key)
{
	return key == EST_KEY_ANY || (size_t)key >= N_KEYS ? "" : key_names[key];
}

static int key_parse(const char *name, enum est_key *out)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (!strcmp(key_names[i], name)) {
			*out = (enum est_key)i;
			return 0;
		}
	}
	return err_set(ERR_INVALID,
		       "key = %.32s: must be any, ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096",
		       name);
}

/* The path's own reader says what a label may look like. */
static int label_check(const char *label)
{
	char target[sizeof("/.well-known/est//cacerts") + EST_LABEL_SIZE];
	struct est_path path;
	int n = snprintf(target, sizeof(target), "/.well-known/est/%s/cacerts", label);

	if (n < 0 || (size_t)n >= sizeof(target) || strchr(label, '/') || !*label ||
	    est_path_parse(target, &path) || strcmp(path.label, label) != 0)
		return err_set(ERR_INVALID,
			       "a label is 1 to %d letters, digits, - . _ ~ and no EST operation",
			       EST_LABEL_SIZE - 1);
	return 0;
}

int est_labels_add(struct est_labels *labels, const char *label, const char *key,
		   const char *channel_binding)
{
	struct est_profile p = {.is_bound = !strcmp(channel_binding, "yes")};
	int rc = label_check(label);

	if (rc || (rc = key_parse(key, &p.key)))
		return rc;
	if (!p.is_bound && strcmp(channel_binding, "no") != 0)
		return err_set(ERR_INVALID, "channel_binding must be yes or no");
	if (est_labels_find(labels, label))
		return err_set(ERR_EXISTS, "the label is there twice");
	if (labels->n == EST_LABELS_MAX)
		return err_set(ERR_LIMIT, "more than %d labels", EST_LABELS_MAX);
	memcpy(p.label, label, strlen(label) + 1);
	labels->profiles[labels->n++] = p;
	return 0;
}

const struct est_profile *est_labels_find(const struct est_labels *labels, const char *label)
{
	static const struct est_profile without = {.key = EST_KEY_ANY};

	if (!*label)
		return &without;
	for (size_t i = 0; i < labels->n; i++)
		if (!strcmp(labels->profiles[i].label, label))
			return &labels->profiles[i];
	return NULL;
}
