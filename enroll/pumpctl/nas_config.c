/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the vendors' configuration texts, with words in braces for what differs. */
#include "enroll/pumpctl/nas_config.h"

#include "enroll/pumpctl/nas_config_radsec.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ACCOUNTING                                                                  \
	"Accounting every 10 minutes lets Pumpgate know which sessions are alive; " \
	"Acct-Session-Id and Class let it name them."

static const char hostapd[] =
	"# hostapd.conf of NAS {name}: add interface, driver and, for Wi-Fi, ssid and WPA-EAP.\n"
	"# Read by hostapd 2.10 without a complaint.\n"
	"# " ACCOUNTING "\n"
	"ieee8021x=1\n"
	"own_ip_addr={ip}\n"
	"nas_identifier={name}\n"
	"auth_server_addr={server}\n"
	"auth_server_port={auth}\n"
	"auth_server_shared_secret={secret}\n"
	"acct_server_addr={server}\n"
	"acct_server_port={acct}\n"
	"acct_server_shared_secret={secret}\n"
	"radius_acct_interim_interval=600\n"
	"radius_request_cui=1\n"
	"# Session-Timeout comes with Termination-Action: re-authenticate, do not cut off\n"
	"eap_reauth_period=3600\n"
	"# the zone's VLAN, and none without one; the file must exist, with one line: * wlan0.#\n"
	"dynamic_vlan=2\n"
	"vlan_file=/etc/hostapd/hostapd.vlan\n"
	"# wired (driver=wired): say so, and which port; hostapd does no MAC authentication there\n"
	"#radius_auth_req_attr=61:d:15\n"
	"#radius_auth_req_attr=5:d:1\n"
	"#radius_acct_req_attr=61:d:15\n"
	"#radius_acct_req_attr=5:d:1\n"
	"{das+}# Disconnect-Requests, signed and fresh (clock right to 300 s)\n"
	"{das+}radius_das_port={das}\n"
	"{das+}radius_das_client={server} {secret}\n"
	"{das+}radius_das_time_window=300\n"
	"{das+}radius_das_require_event_timestamp=1\n"
	"{das+}radius_das_require_message_authenticator=1\n";

static const char cisco[] =
	"! NAS {name}; written from the manual of IOS XE 17, not tried on a device.\n"
	"! " ACCOUNTING "\n"
	"! MAC authentication is answered only if its request carries Message-Authenticator: use "
	"a\n"
	"! release with the fix for CVE-2024-3596.\n"
	"aaa new-model\n"
	"radius server pumpgate\n"
	" address {family} {server} auth-port {auth} acct-port {acct}\n"
	" timeout 3\n"
	" retransmit 2\n"
	" key {secret}\n"
	"aaa group server radius pumpgate-servers\n"
	" server name pumpgate\n"
	"aaa authentication dot1x default group pumpgate-servers\n"
	"aaa authorization network default group pumpgate-servers\n"
	"aaa accounting dot1x default start-stop group pumpgate-servers\n"
	"aaa accounting update newinfo periodic 10\n"
	"radius-server attribute 6 on-for-login-auth\n"
	"radius-server attribute 8 include-in-access-req\n"
	"radius-server attribute 25 access-request include\n"
	"radius-server attribute 31 mac format ietf upper-case\n"
	"radius-server attribute 32 include-in-access-req format %h\n"
	"radius-server attribute 44 include-in-access-req default-vrf\n"
	"{das+}aaa server radius dynamic-author\n"
	"{das+} client {server} server-key {secret}\n"
	"{das+} port {das}\n"
	"{das+} auth-type any\n"
	"dot1x system-auth-control\n"
	"interface range GigabitEthernet1/0/1 - 24\n"
	" switchport mode access\n"
	" authentication host-mode single-host\n"
	" authentication order dot1x mab\n"
	" authentication priority dot1x mab\n"
	" authentication port-control auto\n"
	" authentication periodic\n"
	" authentication timer reauthenticate server\n"
	" mab\n"
	" dot1x pae authenticator\n"
	" dot1x timeout tx-period 5\n"
	" spanning-tree portfast\n";

static const char aruba[] =
	"! NAS {name}; written from the manual of AOS-CX 10.10, not tried on a device.\n"
	"! " ACCOUNTING "\n"
	"! MAC authentication is answered only if its request carries Message-Authenticator: use "
	"a\n"
	"! release with the fix for CVE-2024-3596.\n"
	"radius-server host {server} port {auth} acct-port {acct} key plaintext {secret}\n"
	"aaa group server radius pumpgate\n"
	"    server {server} port {auth}\n"
	"aaa accounting port-access start-stop interim 10 group pumpgate\n"
	"{das+}radius dyn-authorization enable\n"
	"{das+}radius dyn-authorization port {das}\n"
	"{das+}radius dyn-authorization client {server} secret-key plaintext {secret}\n"
	"{das+}radius dyn-authorization client {server} time-window 300\n"
	"aaa authentication port-access dot1x authenticator\n"
	"    radius server-group pumpgate\n"
	"    enable\n"
	"aaa authentication port-access mac-auth\n"
	"    radius server-group pumpgate\n"
	"    enable\n"
	"interface 1/1/1-1/1/24\n"
	"    no routing\n"
	"    aaa authentication port-access auth-precedence dot1x mac-auth\n"
	"    aaa authentication port-access client-limit 1\n"
	"    aaa authentication port-access dot1x authenticator\n"
	"        reauth\n"
	"        enable\n"
	"    aaa authentication port-access mac-auth\n"
	"        enable\n";

static const char juniper[] =
	"# NAS {name}; written from the manual of Junos for EX switches (ELS), not tried on a\n"
	"# device.\n"
	"# " ACCOUNTING "\n"
	"# MAC authentication is answered only if its request carries Message-Authenticator: use "
	"a\n"
	"# release with the fix for CVE-2024-3596.\n"
	"set access radius-server {server} port {auth}\n"
	"set access radius-server {server} accounting-port {acct}\n"
	"set access radius-server {server} secret \"{secret}\"\n"
	"set access radius-server {server} source-address {ip}\n"
	"set access radius-server {server} timeout 3\n"
	"set access radius-server {server} retry 2\n"
	"{das+}set access radius-server {server} dynamic-request-port {das}\n"
	"set access profile pumpgate authentication-order radius\n"
	"set access profile pumpgate radius authentication-server {server}\n"
	"set access profile pumpgate radius accounting-server {server}\n"
	"set access profile pumpgate radius options nas-identifier {name}\n"
	"set access profile pumpgate accounting order radius\n"
	"set access profile pumpgate accounting update-interval 10\n"
	"set protocols dot1x authenticator authentication-profile-name pumpgate\n"
	"set protocols dot1x authenticator interface ge-0/0/0.0 supplicant single-secure\n"
	"set protocols dot1x authenticator interface ge-0/0/0.0 transmit-period 5\n"
	"set protocols dot1x authenticator interface ge-0/0/0.0 mac-radius\n";

static const struct {
	const char *name;
	const char *text;
} vendors[] = {
	{"hostapd", hostapd}, {"cisco-ios-xe", cisco}, {"aruba", aruba}, {"juniper", juniper}};

struct word {
	const char *name; /* with its braces */
	const char *value;
};

static int word_put(const char **at, const struct word *words, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i].name);

		if (strncmp(*at, words[i].name, len) != 0)
			continue;
		*at += len;
		return buf_put_str(out, words[i].value);
	}
	return buf_put(out, (*at)++, 1);
}

static int text_fill(const char *text, bool das, const struct word *words, size_t n,
		     struct buf *out)
{
	static const char only_das[] = "{das+}";
	int rc = 0;

	while (!rc && *text) {
		if (!strncmp(text, only_das, sizeof(only_das) - 1)) {
			text = das ? text + sizeof(only_das) - 1 : strchr(text, '\n') + 1;
			continue;
		}
		rc = *text == '{' ? word_put(&text, words, n, out) : buf_put(out, text++, 1);
	}
	return rc;
}

static int vendor_find(const char *vendor, bool radsec, const char **text_out)
{
	if (radsec) {
		*text_out = nas_config_radsec(vendor);
		if (*text_out)
			return 0;
		if (!strcmp(vendor, "hostapd"))
			return err_set(
				ERR_INVALID,
				"hostapd 2.10 speaks no RadSec, and later ones take no "
				"Disconnect over it: add this NAS with --ip and a secret, or "
				"put radsecproxy before it (--vendor radsecproxy)");
		return err_set(ERR_INVALID,
			       "no RadSec configuration for '%.32s'; --vendor takes cisco-ios-xe, "
			       "aruba, juniper or radsecproxy",
			       vendor);
	}
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		*text_out = vendors[i].text;
		if (!strcmp(vendors[i].name, vendor))
			return 0;
	}
	return err_set(
		ERR_INVALID,
		"no configuration for '%.32s'; --vendor takes hostapd, cisco-ios-xe, aruba or "
		"juniper",
		vendor);
}

int nas_config_build(const char *vendor, const struct nas_config *in, struct buf *out)
{
	const char *text;
	char auth[11], acct[11], das[11], radsec[11];
	const struct word words[] = {
		{"{name}", in->name},
		{"{ip}", in->ip},
		{"{server}", in->server},
		{"{auth}", auth},
		{"{acct}", acct},
		{"{das}", das},
		{"{radsec}", radsec},
		{"{radsec_name}", in->radsec_name ? in->radsec_name : ""},
		{"{secret}", NAS_CONFIG_SECRET},
		{"{family}", strchr(in->server, ':') ? "ipv6" : "ipv4"},
	};
	int rc = vendor_find(vendor, in->radsec, &text);

	if (rc)
		return rc;
	snprintf(radsec, sizeof(radsec), "%u", in->radsec_port);
	snprintf(auth, sizeof(auth), "%u", in->auth_port);
	snprintf(acct, sizeof(acct), "%u", in->acct_port);
	snprintf(das, sizeof(das), "%u", in->das_port);
	return text_fill(text, in->das_port != 0, words, sizeof(words) / sizeof(words[0]), out);
}
