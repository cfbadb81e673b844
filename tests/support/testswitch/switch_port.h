/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The enforcement on one switch port, in the kernel: a netdev ingress chain that drops everything
 * but EAPOL and frames of the authorised MAC, and membership in the bridge of the VLAN. hostapd's
 * wired driver does neither. Fails closed: when a step fails the port is in no bridge.
 */
#ifndef TESTSWITCH_SWITCH_PORT_H
#define TESTSWITCH_SWITCH_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SWITCH_VLANS_MAX 16
#define SWITCH_MAC_TEXT 18
#define SWITCH_NAME 16

struct switch_vlan {
	uint32_t id;
	char bridge[SWITCH_NAME];
	bool isolated; /* ports of this VLAN do not reach each other */
};

struct switch_port {
	char name[SWITCH_NAME];
	struct switch_vlan vlans[SWITCH_VLANS_MAX];
	unsigned n_vlans;
	struct nft_ctx *nft;
	int ioctl_fd;
	char bridge[SWITCH_NAME];  /* "" : in none */
	char mac[SWITCH_MAC_TEXT]; /* "" : nobody is authorised */
};

/* "120=br120" or "999=br999:isolated". ERR_INVALID, ERR_LIMIT. */
int switch_port_vlan_add(struct switch_port *p, const char *text) MUST_USE;
/* Puts the chain in place: from here on the port is closed. ERR_IO, ERR_NOMEM. */
int switch_port_open(struct switch_port *p) MUST_USE;
/* Takes the chain away and the port out of its bridge. */
void switch_port_done(struct switch_port *p);

/* Lets `mac`, and only it, into the VLAN. ERR_NOT_FOUND when the switch has no such VLAN; on any
 * failure the port is blocked. */
int switch_port_place(struct switch_port *p, const char *mac, uint32_t vlan) MUST_USE;
/* Nobody passes. ERR_IO. */
int switch_port_block(struct switch_port *p) MUST_USE;

#endif
