/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name in a maker's birth certificate (IDevID, IEEE 802.1AR 8.6 and 8.10.4): hardwareModuleName
 * in the subjectAltName (RFC 4108 5), or serialNumber in the subject. Pure; says nothing about
 * whether the certificate is genuine.
 */
#ifndef CA_REQUEST_IDEVID_H
#define CA_REQUEST_IDEVID_H

#include <stddef.h>
#include <stdint.h>

#include "ca/request/device_name.h"
#include "ca/request/ossl.h"

#define IDEVID_OID_SIZE 97

struct idevid_name {
	char serial[DEVICE_NAME_MAX + 1]; /* of the form that inventory serials have */
	char hw_type[IDEVID_OID_SIZE];	  /* dotted; "" without a hardwareModuleName */
};

/* The hardwareModuleName if there is one, else the subject's serialNumber. Where both are there and
 * the subject's could be a serial too, they must be equal. ERR_INVALID: none, two, unreadable, or
 * not of the form of a pump's serial. */
int idevid_name_read(const X509 *cert, struct idevid_name *out) MUST_USE;

/* HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } alone.
 * ERR_INVALID. */
int idevid_hardware_module_parse(const uint8_t *der, size_t len, struct idevid_name *out) MUST_USE;

#endif
