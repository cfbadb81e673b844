/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how lists of ports are written and compared. Pure. */
#include "policies/port_profile.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PORTS_MAX 64
#define UDP 0x10000u /* above the port's number, so that udp comes after tcp */

/* The port that a word of `len` letters names, with UDP; 0: it is none. */
static uint32_t port_of(const char *word, size_t len)
{
	uint32_t udp = len > 4 && !strncmp(word, "udp/", 4) ? UDP : 0, port = 0;

	if (len < 5 || len > 9 || (!udp && strncmp(word, "tcp/", 4) != 0) || word[4] == '0')
		return 0;
	for (size_t i = 4; i < len; i++) {
		if (word[i] < '0' || word[i] > '9')
			return 0;
		port = port * 10 + (uint32_t)(word[i] - '0');
	}
	return port <= 65535 ? udp | port : 0;
}

/* The next word, behind blanks and commas; its length, 0 at the end. */
static size_t word_next(const char **at)
{
	*at += strspn(*at, ", \t");
	return strcspn(*at, ", \t");
}

static int port_put(uint32_t *ports, size_t *n, size_t max, uint32_t port)
{
	size_t i = *n;

	for (size_t k = 0; k < *n; k++)
		if (ports[k] == port)
			return 0;
	if (*n == max)
		return err_set(ERR_LIMIT, "more than %zu ports", max);
	for (; i > 0 && ports[i - 1] > port; i--)
		ports[i] = ports[i - 1];
	ports[i] = port;
	(*n)++;
	return 0;
}

static bool text_put(char *out, size_t size, uint32_t port)
{
	size_t at = strlen(out);
	char word[16];
	int len = snprintf(word, sizeof(word), "%s%s/%u", at ? " " : "", port & UDP ? "udp" : "tcp",
			   port & 0xffffu);

	if (len < 0 || (size_t)len >= size - at)
		return false;
	memcpy(out + at, word, (size_t)len + 1);
	return true;
}

int port_list_parse(const char *text, size_t max, char *out, size_t size)
{
	uint32_t ports[PORTS_MAX];
	size_t n = 0, len;
	int rc = 0;

	max = max < PORTS_MAX ? max : PORTS_MAX;
	*out = '\0';
	if (!strcmp(text, "none"))
		return 0;
	for (const char *at = text; !rc && (len = word_next(&at)); at += len) {
		uint32_t port = port_of(at, len);

		rc = port ? port_put(ports, &n, max, port)
			  : err_set(ERR_INVALID,
				    "ports are tcp/1 to tcp/65535 and udp/1 to udp/65535, or none; "
				    "not '%.*s'",
				    len < 32 ? (int)len : 32, at);
	}
	if (!rc && !n)
		rc = err_set(ERR_INVALID, "no port is named; for no port at all: none");
	for (size_t i = 0; !rc && i < n; i++)
		if (!text_put(out, size, ports[i]))
			rc = err_set(ERR_LIMIT, "too many ports");
	return rc;
}

static bool is_in(const char *list, uint32_t port)
{
	size_t len;

	for (const char *at = list; (len = word_next(&at)); at += len)
		if (port_of(at, len) == port)
			return true;
	return false;
}

size_t port_list_beyond(const char *open, const char *allowed, char *out, size_t size)
{
	size_t n = 0, len;

	*out = '\0';
	for (const char *at = open; (len = word_next(&at)); at += len) {
		uint32_t port = port_of(at, len);

		if (port && !is_in(allowed, port)) {
			(void)text_put(out, size, port);
			n++;
		}
	}
	return n;
}
