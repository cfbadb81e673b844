/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading the name in a birth certificate. Never verifies one. */
#include "ca/request/idevid.h"

#include <string.h>

#include <openssl/asn1t.h>

/* id-on-hardwareModuleName, RFC 4108 5 */
#define HARDWARE_MODULE_NAME_OID "1.3.6.1.5.5.7.8.4"

typedef struct {
	ASN1_OBJECT *hw_type;
	ASN1_OCTET_STRING *hw_serial;
} HARDWARE_MODULE_NAME;

DECLARE_ASN1_FUNCTIONS(HARDWARE_MODULE_NAME)
ASN1_SEQUENCE(HARDWARE_MODULE_NAME) =
	{
		ASN1_SIMPLE(HARDWARE_MODULE_NAME, hw_type, ASN1_OBJECT),
		ASN1_SIMPLE(HARDWARE_MODULE_NAME, hw_serial, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(HARDWARE_MODULE_NAME) IMPLEMENT_ASN1_FUNCTIONS(HARDWARE_MODULE_NAME)

	/* Bytes as they are: no case folding, no white space cut. A NUL inside is no serial. */
	static bool serial_take(const ASN1_STRING *value, char out[DEVICE_NAME_MAX + 1])
{
	size_t len = (size_t)ASN1_STRING_length(value);

	if (len == 0 || len > DEVICE_NAME_MAX || memchr(ASN1_STRING_get0_data(value), 0, len))
		return false;
	memcpy(out, ASN1_STRING_get0_data(value), len);
	out[len] = '\0';
	return device_name_is_valid(out);
}

int idevid_hardware_module_parse(const uint8_t *der, size_t len, struct idevid_name *out)
{
	struct idevid_name name = {.serial = ""};
	const uint8_t *at = der;
	HARDWARE_MODULE_NAME *module = d2i_HARDWARE_MODULE_NAME(NULL, &at, (long)len);
	int n, rc = 0;

	if (!module || at != der + len) {
		rc = err_ossl(ERR_INVALID, "hardwareModuleName can't be read");
	} else if ((n = OBJ_obj2txt(name.hw_type, sizeof(name.hw_type), module->hw_type, 1)) <= 0 ||
		   n >= (int)sizeof(name.hw_type)) {
		rc = err_ossl(ERR_INVALID, "hwType can't be read");
	} else if (!serial_take(module->hw_serial, name.serial)) {
		rc = err_set(ERR_INVALID, "hwSerialNum is not of the form of a pump's serial");
	}
	HARDWARE_MODULE_NAME_free(module);
	if (!rc)
		*out = name;
	return rc;
}

static bool is_hardware_module_name(const GENERAL_NAME *name)
{
	char oid[sizeof(HARDWARE_MODULE_NAME_OID) + 1];

	return name->type == GEN_OTHERNAME &&
	       OBJ_obj2txt(oid, sizeof(oid), name->d.otherName->type_id, 1) ==
		       (int)sizeof(HARDWARE_MODULE_NAME_OID) - 1 &&
	       !strcmp(oid, HARDWARE_MODULE_NAME_OID);
}

/* ERR_NOT_FOUND: the certificate has no hardwareModuleName. */
static int module_read(const X509 *cert, struct idevid_name *out)
{
	int critical = -1, found = 0, rc = ERR_NOT_FOUND;
	AUTO_GENERAL_NAMES names = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);

	if (!names && critical != -1)
		return err_ossl(ERR_INVALID, "subjectAltName can't be read or is there twice");
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const ASN1_TYPE *value;

		if (!is_hardware_module_name(name))
			continue;
		value = name->d.otherName->value;
		if (++found > 1 || ASN1_TYPE_get(value) != V_ASN1_SEQUENCE)
			return err_set(ERR_INVALID,
				       "hardwareModuleName is malformed or there twice");
		rc = idevid_hardware_module_parse(ASN1_STRING_get0_data(value->value.sequence),
						  (size_t)ASN1_STRING_length(value->value.sequence),
						  out);
		if (rc)
			return rc;
	}
	return rc;
}

/* 1: there is one, and it has the form of a pump's serial; 0: none, or of another form. */
static int subject_read(const X509 *cert, char out[DEVICE_NAME_MAX + 1])
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_serialNumber, -1);

	if (at < 0)
		return 0;
	if (X509_NAME_get_index_by_NID(subject, NID_serialNumber, at) >= 0)
		return err_set(ERR_INVALID, "the subject has more than one serialNumber");
	return serial_take(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), out);
}

int idevid_name_read(const X509 *cert, struct idevid_name *out)
{
	struct idevid_name name = {.serial = ""};
	char subject[DEVICE_NAME_MAX + 1] = "";
	int by_subject, rc = module_read(cert, &name);

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	by_subject = subject_read(cert, subject);
	if (by_subject < 0)
		return by_subject;
	if (rc == ERR_NOT_FOUND) {
		if (!by_subject)
			return err_set(ERR_INVALID,
				       "neither hardwareModuleName nor a subject's serialNumber of "
				       "the form of a pump's serial");
		memcpy(name.serial, subject, sizeof(name.serial));
	} else if (by_subject && strcmp(subject, name.serial) != 0) {
		return err_set(ERR_INVALID, "two serials in one birth certificate");
	}
	*out = name;
	return 0;
}
