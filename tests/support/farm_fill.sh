#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fills the databases of a stopped, initialised home with pumps that are on the network at the NAS of
# nas_farm: farm_fill.sh HOME PUMPS NAS PORT SECRET-FILE. Pump n is FARM-n with a certificate in force,
# of ward "Ward n%10", in session FARM-n at NAS farm-(n % NAS).
set -eu
home=$1 n=$2 nas=$3 port=$4 secret=$(head -n 1 "$5" | tr -d '\n' | od -An -tx1 -v | tr -d ' \n')
now=$(date +%s000)
numbers="WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < $n)"
sqlite3 -bail "$home/registry/registry.db" >/dev/null <<-END
	PRAGMA synchronous = OFF;
	BEGIN;
	INSERT INTO zones (name, vlan, filter_id, session_s, added_at)
		VALUES ('farm', 130, '', 3600, $now);
	INSERT INTO issuers (name, der, added_at) VALUES ('/CN=Farm CA', x'00', $now);
	WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < $nas - 1)
		INSERT INTO nas (name, ip, das_port, enabled, secret, secret_version, added_at)
		SELECT printf('farm-%d', i), printf('127.77.%d.%d', i / 250, i % 250 + 1), $port, 1,
			x'$secret', 1, $now FROM c;
	$numbers INSERT INTO devices (serial, maker, model, mac, ward, zone_id, state, state_at,
		state_by, state_reason, added_at, mab_until)
		SELECT 'FARM-' || i, 'Maker', 'F' || (i % 3), printf('0a:77:00:%02x:%02x:%02x',
			i >> 16 & 255, i >> 8 & 255, i & 255), 'Ward ' || (i % 10),
			(SELECT id FROM zones WHERE name = 'farm'), 'enrolled', $now, 'fill', '',
			$now, 0 FROM c;
	INSERT INTO certificates (issuer_id, serial, device_id, state, method, key_type,
		spki_sha256, not_before, not_after, reserved_at, issued_at, superseded_at,
		revoked_at, source)
		SELECT (SELECT id FROM issuers WHERE name = '/CN=Farm CA'), printf('%032x', 7777000000 + id),
			id, 'valid', 'token', 'p256', randomblob(32), 1, 4102444800000, $now, $now, 0, 0, ''
		FROM devices WHERE serial LIKE 'FARM-%';
	COMMIT;
	PRAGMA wal_checkpoint(TRUNCATE);
END
sqlite3 -bail "$home/registry/sessions.db" >/dev/null <<-END
	PRAGMA synchronous = OFF;
	BEGIN;
	$numbers INSERT INTO sessions (nas, session_id, device, cert_serial, mac, nas_port,
		calling_station, zone, vlan, state, accepted_at, started_at, updated_at, stopped_at,
		input_octets, output_octets, cause)
		SELECT printf('farm-%d', i % $nas), 'FARM-' || i, 'FARM-' || i, '', printf(
			'0a:77:00:%02x:%02x:%02x', i >> 16 & 255, i >> 8 & 255, i & 255), '',
			printf('0A-77-00-%02X-%02X-%02X', i >> 16 & 255, i >> 8 & 255, i & 255), 'farm',
			130, 'started', $now, $now, $now, 0, 0, 0, '' FROM c;
	$numbers INSERT INTO events (at, source, subject, what, reason, method, device, identity,
		issuer, cert_serial, mac, nas, nas_port, session_id, zone, vlan, took_us, detail)
		SELECT $now, 'auth', 'FARM-' || i, 'accept', 'ok', 'eap-tls', 'FARM-' || i, 'FARM-' || i,
			'/CN=Farm CA', '', '', printf('farm-%d', i % $nas), '', 'FARM-' || i, 'farm', 130, 0,
			'' FROM c;
	COMMIT;
	PRAGMA wal_checkpoint(TRUNCATE);
END
