/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns nft chain and bridge membership of one port. Never decides who may pass. */
#include "tests/support/testswitch/switch_port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <nftables/libnftables.h>

#include "base/buf.h"

int switch_port_vlan_add(struct switch_port *p, const char *text)
{
	struct switch_vlan *v = &p->vlans[p->n_vlans];
	char *end, *colon;
	unsigned long id = strtoul(text, &end, 10);

	if (p->n_vlans == SWITCH_VLANS_MAX)
		return err_set(ERR_LIMIT, "more than %d VLANs", SWITCH_VLANS_MAX);
	if (end == text || *end != '=' || !id || id > 4094 ||
	    str_copy(v->bridge, sizeof(v->bridge), end + 1))
		return err_set(ERR_INVALID, "%s: wanted VLAN=BRIDGE[:isolated]", text);
	colon = strchr(v->bridge, ':');
	v->isolated = colon && !strcmp(colon, ":isolated");
	if (colon && !v->isolated)
		return err_set(ERR_INVALID, "%s: only :isolated is known", text);
	if (colon)
		*colon = '\0';
	v->id = (uint32_t)id;
	p->n_vlans++;
	return 0;
}

static int nft(struct switch_port *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int nft(struct switch_port *p, const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(cmd))
		return err_set(ERR_LIMIT, "nft command too long");
	if (nft_run_cmd_from_buffer(p->nft, cmd))
		return err_set(ERR_IO, "nft: %.200s", nft_ctx_get_error_buffer(p->nft));
	return 0;
}

static int bridge_ioctl(struct switch_port *p, unsigned long request, const char *bridge)
{
	struct ifreq r = {.ifr_ifindex = (int)if_nametoindex(p->name)};

	if (str_copy(r.ifr_name, sizeof(r.ifr_name), bridge) || ioctl(p->ioctl_fd, request, &r) < 0)
		return err_errno(ERR_IO, "%s and bridge %s", p->name, bridge);
	return 0;
}

static int bridge_leave(struct switch_port *p)
{
	int rc = p->bridge[0] ? bridge_ioctl(p, SIOCBRDELIF, p->bridge) : 0;

	if (!rc)
		p->bridge[0] = '\0';
	return rc;
}

static int isolate(const struct switch_port *p)
{
	char path[64 + SWITCH_NAME];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brport/isolated", p->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		rc = err_errno(ERR_IO, "%s", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

int switch_port_open(struct switch_port *p)
{
	p->ioctl_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (p->ioctl_fd < 0 || !p->nft)
		return err_set(ERR_NOMEM, "no nft or socket");
	nft_ctx_buffer_error(p->nft);
	nft_ctx_buffer_output(p->nft);
	return nft(p,
		   "add table netdev sw_%s\n"
		   "delete table netdev sw_%s\n"
		   "add table netdev sw_%s\n"
		   "add set netdev sw_%s allowed { type ether_addr; }\n"
		   "add chain netdev sw_%s ingress { type filter hook ingress device %s "
		   "priority 0; policy drop; }\n"
		   "add rule netdev sw_%s ingress ether type 0x888e accept\n"
		   "add rule netdev sw_%s ingress ether saddr @allowed counter accept\n",
		   p->name, p->name, p->name, p->name, p->name, p->name, p->name, p->name);
}

void switch_port_done(struct switch_port *p)
{
	if (!p->nft)
		return;
	(void)!bridge_leave(p);
	(void)!nft(p, "delete table netdev sw_%s\n", p->name);
	nft_ctx_free(p->nft);
	p->nft = NULL;
	close(p->ioctl_fd);
}

int switch_port_block(struct switch_port *p)
{
	int rc = nft(p, "flush set netdev sw_%s allowed\n", p->name);
	int left = bridge_leave(p);

	p->mac[0] = '\0';
	return rc ? rc : left;
}

static int enter(struct switch_port *p, const char *mac, const struct switch_vlan *v)
{
	int rc = 0;

	if (strcmp(p->bridge, v->bridge) != 0) {
		rc = bridge_leave(p);
		rc = rc ? rc : bridge_ioctl(p, SIOCBRADDIF, v->bridge);
		if (!rc)
			rc = str_copy(p->bridge, sizeof(p->bridge), v->bridge);
		if (!rc && v->isolated)
			rc = isolate(p);
	}
	if (!rc)
		rc = nft(p,
			 "flush set netdev sw_%s allowed\n"
			 "add element netdev sw_%s allowed { %s }\n",
			 p->name, p->name, mac);
	return rc ? rc : str_copy(p->mac, sizeof(p->mac), mac);
}

int switch_port_place(struct switch_port *p, const char *mac, uint32_t vlan)
{
	int rc = err_set(ERR_NOT_FOUND, "the switch has no VLAN %u", vlan);

	for (unsigned i = 0; i < p->n_vlans; i++)
		if (p->vlans[i].id == vlan)
			rc = enter(p, mac, &p->vlans[i]);
	if (rc && switch_port_block(p))
		rc = err_add(rc, "and could not be blocked");
	return rc;
}
