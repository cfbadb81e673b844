/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the look-ups of the packet path. Each is answered from unique indexes only, so that it costs
 * the same with a thousand pumps and with a million. They run on the service's loop thread.
 */
#include "sql/store/maker_models.h"
#include "sql/store/store_db.h"

#include <string.h>

void pump_facts_read(const struct query *q, struct pump_facts *out)
{
	/* its own, or the one that it is held in: absent when there is none */
	int zone = query_i64(q, 10) ? 11 : 6;

	memset(out, 0, sizeof(*out));
	out->found = true;
	query_text(q, 0, out->device, sizeof(out->device));
	query_text(q, 1, out->device_state, sizeof(out->device_state));
	query_text(q, 2, out->cert_state, sizeof(out->cert_state));
	out->not_before = query_i64(q, 3);
	out->not_after = query_i64(q, 4);
	query_text(q, 5, out->mac, sizeof(out->mac));
	query_text(q, zone, out->zone, sizeof(out->zone));
	out->vlan = (uint32_t)query_i64(q, zone + 1);
	query_text(q, zone + 2, out->filter_id, sizeof(out->filter_id));
	out->session_s = (uint32_t)query_i64(q, zone + 3);
	out->tls_min = (uint32_t)query_i64(q, 15);
}

int store_pump_facts(struct store *st, const char *issuer, const char *cert_serial,
		     struct pump_facts *out)
{
	AUTO_QUERY q;
	int rc = query_open(
		&q, st->db,
		"SELECT " PUMP_FACTS_COLUMNS " FROM issuers i"
		" JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2" PUMP_FACTS_JOINS
		" WHERE i.name = ?1",
		DB_T(issuer), DB_T(cert_serial));

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	pump_facts_read(&q, out);
	return 0;
}

int store_login_facts(struct store *st, const char *issuer, const char *cert_serial,
		      struct login_facts *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT d.serial, " DEVICE_STATE
			    ", c.state, c.not_before, c.not_after, d.ward, d.model FROM issuers i"
			    " JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2"
			    " JOIN devices d ON d.id = c.device_id WHERE i.name = ?1",
			    DB_T(issuer), DB_T(cert_serial));

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	out->found = true;
	query_text(&q, 0, out->device, sizeof(out->device));
	query_text(&q, 1, out->device_state, sizeof(out->device_state));
	query_text(&q, 2, out->cert_state, sizeof(out->cert_state));
	out->not_before = query_i64(&q, 3);
	out->not_after = query_i64(&q, 4);
	query_text(&q, 5, out->ward, sizeof(out->ward));
	query_text(&q, 6, out->model, sizeof(out->model));
	return 0;
}

int store_mac_facts(struct store *st, const char *mac, struct mac_facts *out)
{
	char wanted[MAC_SIZE];
	AUTO_QUERY q = {0};
	int rc;

	memset(out, 0, sizeof(*out));
	if (mac_normalise(mac, wanted))
		return 0; /* no pump has such an address */
	rc = query_open(&q, st->db,
			"SELECT d.serial, " DEVICE_STATE
			", d.mab_until, z.name, z.vlan, z.filter_id,"
			" z.session_s FROM devices d"
			" LEFT JOIN zones z ON z.purpose = 'onboarding'"
			" WHERE d.mac = ?1",
			DB_T(wanted));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	out->found = true;
	query_text(&q, 0, out->device, sizeof(out->device));
	query_text(&q, 1, out->device_state, sizeof(out->device_state));
	out->window_until = query_i64(&q, 2);
	query_text(&q, 3, out->zone, sizeof(out->zone));
	out->vlan = (uint32_t)query_i64(&q, 4);
	query_text(&q, 5, out->filter_id, sizeof(out->filter_id));
	out->session_s = (uint32_t)query_i64(&q, 6);
	return 0;
}

int store_birth_facts(struct store *st, const char *device, struct birth_facts *out)
{
	char model[LABEL_SIZE], models[MAKER_MODELS_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT " DEVICE_STATE ", d.model, m.models, z.name, z.vlan,"
			    " z.filter_id, z.session_s FROM devices d"
			    " LEFT JOIN makers m ON m.name = d.maker AND m.enabled = 1"
			    " LEFT JOIN zones z ON z.purpose = 'onboarding'"
			    " WHERE d.serial = ?1",
			    DB_T(device));

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	out->found = true;
	query_text(&q, 0, out->device_state, sizeof(out->device_state));
	query_text(&q, 1, model, sizeof(model));
	query_text(&q, 2, models, sizeof(models)); /* "" without such a maker */
	out->vouched = maker_models_has(models, model, NULL);
	query_text(&q, 3, out->zone, sizeof(out->zone));
	out->vlan = (uint32_t)query_i64(&q, 4);
	query_text(&q, 5, out->filter_id, sizeof(out->filter_id));
	out->session_s = (uint32_t)query_i64(&q, 6);
	return 0;
}

int store_zone_facts(struct store *st, const char *purpose, struct zone_facts *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT name, vlan, filter_id, session_s FROM zones WHERE purpose = ?1",
			    DB_T(purpose));

	memset(out, 0, sizeof(*out));
	if (!rc && (strcmp(purpose, "quarantine") != 0 && strcmp(purpose, "parking") != 0))
		return err_set(ERR_INVALID, "no zone is asked for by '%s'", purpose);
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, out->zone, sizeof(out->zone));
	out->vlan = (uint32_t)query_i64(&q, 1);
	query_text(&q, 2, out->filter_id, sizeof(out->filter_id));
	out->session_s = (uint32_t)query_i64(&q, 3);
	return 0;
}

int store_nas_facts(struct store *st, const char *ip, struct nas_facts *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT name, enabled, secret, secret_version FROM nas WHERE ip = ?1"
			    " AND radsec = 0",
			    DB_T(ip));

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	rc = query_blob(&q, 2, &out->secret, sizeof(out->secret.data));
	if (rc)
		return rc;
	out->found = true;
	query_text(&q, 0, out->name, sizeof(out->name));
	out->enabled = query_i64(&q, 1) != 0;
	out->secret_version = (uint32_t)query_i64(&q, 3);
	return 0;
}

int store_cert_facts(struct store *st, const char *issuer, const char *cert_serial,
		     struct cert_facts *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT d.serial, " DEVICE_STATE
			    ", c.state, c.not_after, c.spki_sha256, x.der"
			    " FROM issuers i"
			    " JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2"
			    " JOIN devices d ON d.id = c.device_id"
			    " LEFT JOIN certificate_der x ON x.certificate_id = c.id"
			    " WHERE i.name = ?1",
			    DB_T(issuer), DB_T(cert_serial));

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	rc = query_blob(&q, 4, &out->spki_sha256, sizeof(out->spki_sha256.data));
	if (!rc)
		rc = query_blob(&q, 5, &out->der, sizeof(out->der.data));
	if (rc)
		return rc;
	out->found = true;
	query_text(&q, 0, out->device, sizeof(out->device));
	query_text(&q, 1, out->device_state, sizeof(out->device_state));
	query_text(&q, 2, out->cert_state, sizeof(out->cert_state));
	out->not_after = query_i64(&q, 3);
	return 0;
}
