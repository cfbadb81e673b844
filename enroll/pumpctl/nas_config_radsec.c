/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the vendors' texts for RADIUS over TLS. */
#include "enroll/pumpctl/nas_config_radsec.h"

#include <stddef.h>
#include <string.h>

#define FILES                                                                                   \
	"Certificate and key: pumpctl nas certificate {name} (--csr, or --new-key). To trust: " \
	"both certificates of trust/server.pem."
#define OWN_CONNECTION                                                                            \
	"Disconnect-Requests come over the connection that the NAS opens (reverse CoA): it must " \
	"take them there."

static const char radsecproxy[] =
	"# radsecproxy.conf beside a NAS that speaks no RadSec itself; tried with radsecproxy "
	"1.9.\n"
	"# " FILES "\n"
	"{das+}# radsecproxy passes no Disconnect-Request on: a revoked pump stays until its "
	"session\n"
	"{das+}# ends. `nas add` it with --das-port 0, or connect a NAS that takes them by UDP.\n"
	"ListenUDP 127.0.0.1:1812\n"
	"tls default {\n"
	"    CACertificateFile /etc/radsecproxy/pumpgate-server.pem\n"
	"    CertificateFile /etc/radsecproxy/{name}.pem\n"
	"    CertificateKeyFile /etc/radsecproxy/{name}.key\n"
	"}\n"
	"client 127.0.0.1 {\n"
	"    type udp\n"
	"    secret {secret}\n"
	"}\n"
	"server pumpgate {\n"
	"    host {server}\n"
	"    port {radsec}\n"
	"    type tls\n"
	"    secret radsec\n"
	"    CertificateNameCheck off\n"
	"    MatchCertificateAttribute SubjectAltName:DNS:/^{radsec_name}$/\n"
	"    StatusServer on\n"
	"}\n"
	"realm * {\n"
	"    server pumpgate\n"
	"    accountingServer pumpgate\n"
	"}\n";

static const char cisco[] =
	"! NAS {name} over RadSec; written from the manual of IOS XE 17, not tried on a device.\n"
	"! " FILES "\n"
	"! Import them as trustpoints PUMPGATE-NAS (own certificate) and PUMPGATE-SERVER.\n"
	"{das+}! " OWN_CONNECTION "\n"
	"aaa new-model\n"
	"radius server pumpgate\n"
	" address {family} {server}\n"
	" tls port {radsec}\n"
	" tls idletimeout 3000\n"
	" tls trustpoint client PUMPGATE-NAS\n"
	" tls trustpoint server PUMPGATE-SERVER\n"
	" tls match-server-identity hostname {radsec_name}\n"
	" key radsec\n"
	"aaa group server radius pumpgate-servers\n"
	" server name pumpgate\n"
	"aaa authentication dot1x default group pumpgate-servers\n"
	"aaa authorization network default group pumpgate-servers\n"
	"aaa accounting dot1x default start-stop group pumpgate-servers\n"
	"aaa accounting update newinfo periodic 10\n"
	"{das+}aaa server radius dynamic-author\n"
	"{das+} client {server} tls client-tp PUMPGATE-NAS server-tp PUMPGATE-SERVER\n"
	"! Ports and attributes as in: pumpctl nas config NAME --vendor cisco-ios-xe of a NAS "
	"that\n"
	"! speaks UDP\n"
	"radius-server attribute 6 on-for-login-auth\n"
	"radius-server attribute 8 include-in-access-req\n"
	"radius-server attribute 25 access-request include\n"
	"radius-server attribute 31 mac format ietf upper-case\n"
	"radius-server attribute 44 include-in-access-req default-vrf\n"
	"dot1x system-auth-control\n";

static const char aruba[] = "! NAS {name} over RadSec; written from the manual of AOS-CX 10.10, "
			    "not tried on a device.\n"
			    "! " FILES "\n"
			    "! Import the certificate as pumpgate-nas, and trust/server.pem as "
			    "ta-profile pumpgate-server.\n"
			    "{das+}! " OWN_CONNECTION "\n"
			    "crypto pki application radsec-client certificate pumpgate-nas\n"
			    "radius-server host {server} tls port {radsec}\n"
			    "radius-server tls-initial-connection-timeout 15\n"
			    "aaa group server radius pumpgate\n"
			    "    server {server} tls port {radsec}\n"
			    "aaa accounting port-access start-stop interim 10 group pumpgate\n"
			    "{das+}radius dyn-authorization enable\n"
			    "{das+}radius dyn-authorization client {server} tls\n"
			    "aaa authentication port-access dot1x authenticator\n"
			    "    radius server-group pumpgate\n"
			    "    enable\n";

static const char juniper[] =
	"# NAS {name} over RadSec; written from the manual of Junos, not tried on a device.\n"
	"# " FILES "\n"
	"# Load the certificate as local certificate pumpgate-nas (request security pki\n"
	"# local-certificate load) and trust/server.pem as ca-profile.\n"
	"{das+}# " OWN_CONNECTION "\n"
	"set access radsec destination 1 address {server}\n"
	"set access radsec destination 1 port {radsec}\n"
	"set access radsec destination 1 tls-certificate pumpgate-nas\n"
	"set access radsec destination 1 tls-peer-name {radsec_name}\n"
	"set access radsec destination 1 tls-timeout 5\n"
	"set access radius-server {server} secret \"radsec\"\n"
	"set access radius-server {server} radsec-destination 1\n"
	"set access profile pumpgate authentication-order radius\n"
	"set access profile pumpgate radius authentication-server {server}\n"
	"set access profile pumpgate radius accounting-server {server}\n"
	"set access profile pumpgate radius options nas-identifier {name}\n"
	"set access profile pumpgate accounting order radius\n"
	"set access profile pumpgate accounting update-interval 10\n"
	"set protocols dot1x authenticator authentication-profile-name pumpgate\n";

const char *nas_config_radsec(const char *vendor)
{
	static const struct {
		const char *name, *text;
	} vendors[] = {{"radsecproxy", radsecproxy},
		       {"cisco-ios-xe", cisco},
		       {"aruba", aruba},
		       {"juniper", juniper}};

	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
		if (!strcmp(vendors[i].name, vendor))
			return vendors[i].text;
	return NULL;
}
