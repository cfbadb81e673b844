/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two connections to wpa_supplicant's control interface: one for commands, one that only gets
 * events. A command blocks until its answer, usually well below a millisecond; a supplicant that
 * hangs costs at most 10 s (libwpa_client's own limit), after which the link counts as dead.
 */
#ifndef PUMP_AGENT_WPA_LINK_H
#define PUMP_AGENT_WPA_LINK_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct wpa_link;

#define WPA_REPLY_MAX 4096

/* `run` is a folder for our ends of the sockets. ERR_UNAVAILABLE, ERR_LIMIT (path too long). */
int wpa_link_open(const char *control, const char *interface, const char *run,
		  struct wpa_link **out) MUST_USE;
void wpa_link_close(struct wpa_link *l); /* NULL ok */

/* Readable when an event waits. */
int wpa_link_fd(const struct wpa_link *l);
/* 1 and one event in `line`, 0 when none waits, ERR_UNAVAILABLE when the link is dead. */
int wpa_link_event(struct wpa_link *l, char *line, size_t size) MUST_USE;

/* The answer as text. ERR_UNAVAILABLE, ERR_TIMEOUT: the link is dead. */
int wpa_link_ask(struct wpa_link *l, const char *command, char reply[WPA_REPLY_MAX]) MUST_USE;
/* A command that must answer OK. Besides: ERR_INVALID with `what` (never the command itself, it may
 * hold a secret). */
int wpa_link_do(struct wpa_link *l, const char *what, const char *command) MUST_USE;

enum wpa_event {
	WPA_OTHER = 0,
	WPA_CONNECTED, /* associated and authorised */
	WPA_DISCONNECTED,
	WPA_EAP_SUCCESS,
	WPA_EAP_FAILURE,
	WPA_SERVER_REFUSED, /* the server's certificate did not pass our checks */
	WPA_TERMINATING,
	WPA_KEY_WANTED, /* it cannot use the key (a TPM is away) and waits for a passphrase */
};

/* Which event a line is, with or without its "<3>" level. Pure. */
enum wpa_event wpa_event_parse(const char *line);

#endif
