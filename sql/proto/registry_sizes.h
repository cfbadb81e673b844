/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounds of the texts and lists that the registry keeps; a text counts its NUL. */
#ifndef SQL_PROTO_REGISTRY_SIZES_H
#define SQL_PROTO_REGISTRY_SIZES_H

#define DEVICE_SERIAL_SIZE 64
#define CERT_SERIAL_SIZE 48
#define ISSUER_SIZE 256
#define MAC_SIZE 18
#define IP_SIZE 46
#define NAME_SIZE 33	    /* zones, NAS */
#define LABEL_SIZE 65	    /* maker, model, ward, NAS-Identifier, NAS-Port-Id */
#define USER_NAME_SIZE 254  /* RADIUS User-Name, RFC 2865 5.1 */
#define SESSION_ID_SIZE 254 /* Acct-Session-Id */
#define REASON_SIZE 33
#define STATE_SIZE 17
#define TEXT_SIZE 256
#define CERT_DER_MAX 4096
#define NAS_SECRET_MAX 128
#define TLS_VERSION_SIZE 8	/* "1.3", for people */
#define OID_SIZE 97		/* dotted */
#define MAKER_ANCHORS_MAX 4	/* of one maker: its root, and the next one */
#define MAKER_ANCHORS_SIZE 8192 /* bytes of their DER */
#define MAKER_MODELS_SIZE 1024
#define MAKERS_MAX 64

#endif
