/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the sockets to wpa_supplicant. Never knows what a network block means. */
#include "pump_agent/wpa_link.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wpa_ctrl.h>

struct wpa_link {
	struct wpa_ctrl *commands;
	struct wpa_ctrl *events;
};

int wpa_link_open(const char *control, const char *interface, const char *run,
		  struct wpa_link **out)
{
	struct wpa_link *l = calloc(1, sizeof(*l));
	char path[PATH_MAX];

	if (!l)
		return err_set(ERR_NOMEM, "no memory for a link to wpa_supplicant");
	snprintf(path, sizeof(path), "%s/%s", control, interface);
	l->commands = wpa_ctrl_open2(path, run);
	l->events = l->commands ? wpa_ctrl_open2(path, run) : NULL;
	if (!l->events || wpa_ctrl_attach(l->events)) {
		int rc = err_errno(ERR_UNAVAILABLE, "wpa_supplicant at %s", path);

		wpa_link_close(l);
		return rc;
	}
	*out = l;
	return 0;
}

void wpa_link_close(struct wpa_link *l)
{
	if (!l)
		return;
	/* no detach: it would wait 10 s for a supplicant that is gone; the socket's end does it */
	if (l->events)
		wpa_ctrl_close(l->events);
	if (l->commands)
		wpa_ctrl_close(l->commands);
	free(l);
}

int wpa_link_fd(const struct wpa_link *l)
{
	return wpa_ctrl_get_fd(l->events);
}

int wpa_link_event(struct wpa_link *l, char *line, size_t size)
{
	size_t len = size - 1;
	int waiting = wpa_ctrl_pending(l->events);

	if (waiting == 0)
		return 0;
	if (waiting < 0 || wpa_ctrl_recv(l->events, line, &len))
		return err_set(ERR_UNAVAILABLE, "wpa_supplicant's events ended");
	line[len] = '\0';
	return 1;
}

int wpa_link_ask(struct wpa_link *l, const char *command, char reply[WPA_REPLY_MAX])
{
	size_t len = WPA_REPLY_MAX - 1;
	int rc = wpa_ctrl_request(l->commands, command, strlen(command), reply, &len, NULL);

	if (rc == -2)
		return err_set(ERR_TIMEOUT, "wpa_supplicant does not answer");
	if (rc)
		return err_errno(ERR_UNAVAILABLE, "wpa_supplicant");
	while (len && reply[len - 1] == '\n')
		len--;
	reply[len] = '\0';
	return 0;
}

int wpa_link_do(struct wpa_link *l, const char *what, const char *command)
{
	char reply[WPA_REPLY_MAX];
	int rc = wpa_link_ask(l, command, reply);

	if (!rc && strncmp(reply, "OK", 2))
		rc = err_set(ERR_INVALID, "wpa_supplicant refused: %s", what);
	return rc;
}

enum wpa_event wpa_event_parse(const char *line)
{
	static const struct {
		const char *prefix;
		enum wpa_event event;
	} table[] = {
		{WPA_EVENT_CONNECTED, WPA_CONNECTED},
		{WPA_EVENT_DISCONNECTED, WPA_DISCONNECTED},
		{WPA_EVENT_EAP_SUCCESS, WPA_EAP_SUCCESS},
		{WPA_EVENT_EAP_FAILURE, WPA_EAP_FAILURE},
		{WPA_EVENT_EAP_TLS_CERT_ERROR, WPA_SERVER_REFUSED},
		{WPA_EVENT_TERMINATING, WPA_TERMINATING},
		{WPA_CTRL_REQ, WPA_KEY_WANTED},
	};

	if (*line == '<' && strchr(line, '>'))
		line = strchr(line, '>') + 1;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strncmp(line, table[i].prefix, strlen(table[i].prefix)))
			return table[i].event;
	return WPA_OTHER;
}
