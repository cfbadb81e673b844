#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fills the registry of a home with N enrolled pumps, for measurements: registry_fill.sh HOME N.
# The service must not be running, and `pumpgate-registryd --home HOME init` must have been done.
# Serials and certificate serials follow from a number, so that registry_probe can ask for them.
set -eu
db=$1/registry/registry.db n=$2
[ -f "$db" ] || { echo "registry_fill: $db does not exist" >&2; exit 1; }
sqlite3 -bail "$db" >/dev/null <<-END
	PRAGMA synchronous = OFF;
	PRAGMA cache_size = -200000;
	BEGIN;
	INSERT INTO zones (name, vlan, filter_id, session_s, added_at)
		VALUES ('fill', 100, 'pumps', 3600, 1) ON CONFLICT (name) DO NOTHING;
	INSERT INTO issuers (name, der, added_at) VALUES ('/CN=Probe CA', x'00', 1)
		ON CONFLICT (name) DO NOTHING;
	CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);
	WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < $n)
		INSERT INTO n SELECT i FROM c;
	INSERT INTO devices (serial, maker, model, mac, ward, zone_id, state, state_at, state_by,
		state_reason, added_at, mab_until)
		SELECT 'FILL-' || i, 'Maker', 'Model 1', printf('0a:00:%02x:%02x:%02x:%02x',
			i >> 24 & 255, i >> 16 & 255, i >> 8 & 255, i & 255), 'Ward ' || i % 100,
			(SELECT id FROM zones WHERE name = 'fill'), 'enrolled', 1, 'fill', '', 1, 0
		FROM n;
	INSERT INTO certificates (issuer_id, serial, device_id, state, method, key_type,
		spki_sha256, not_before, not_after, reserved_at, issued_at, superseded_at,
		revoked_at, source)
		SELECT (SELECT id FROM issuers WHERE name = '/CN=Probe CA'),
			printf('%08x%024x', i * 2654435761 & 4294967295, i), d.id, 'valid', 'token',
			'p256', randomblob(32), 1, 4102444800000, 1, 1, 0, 0, ''
		FROM n JOIN devices d ON d.serial = 'FILL-' || i;
	INSERT INTO certificate_der (certificate_id, der)
		SELECT id, randomblob(600) FROM certificates WHERE source = ''
		ON CONFLICT (certificate_id) DO NOTHING;
	COMMIT;
	ANALYZE;
	PRAGMA wal_checkpoint(TRUNCATE);
END
