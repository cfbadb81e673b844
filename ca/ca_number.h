/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The number at the end of an issuing CA's name ("Pumpgate Device CA 2"). No two issuing CAs of a
 * hierarchy have the same one, whatever root they stand below: revocations, CRLs and their paths
 * are told apart by it. Pure.
 */
#ifndef CA_CA_NUMBER_H
#define CA_CA_NUMBER_H

#include <stdint.h>

#include "ca/request/ossl.h"

#define CA_NUMBER_MAX 99
#define CA_CRL_URL_SIZE 160

/* 1 to 99; 0: the name does not end with one. */
uint32_t ca_number_of(const X509_NAME *name);
/* The same of the issuer of a certificate in DER; 0 also when it can't be read. */
uint32_t ca_number_of_issuer(const uint8_t *der, size_t len);

/* "Pumpgate Server CA 1" becomes "Pumpgate Server CA 2" within `size`. ERR_INVALID. */
int ca_number_raise(char *name, size_t size) MUST_USE;

/* Where the CRL of CA `number` is when that of the first is at `url`: "/crl/device.crl" becomes
 * "/crl/device-2.crl". "" stays "". ERR_LIMIT. */
int ca_crl_url(const char *url, uint32_t number, char out[CA_CRL_URL_SIZE]) MUST_USE;

#endif
