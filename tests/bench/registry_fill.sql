-- SPDX-License-Identifier: BSD-2-Clause
-- Fills a new, stopped registry with @COUNT@ enrolled pumps, each with one valid certificate, faster
-- than a million enrolments would. tests/bench/lookup_load.c knows the names: certificate n of the
-- issuer /CN=bench has the serial hex(n * 2654435761 mod 2^32) and hex(n), so that neighbours in
-- time are no neighbours in the index.
PRAGMA synchronous = OFF;
PRAGMA journal_mode = MEMORY;
PRAGMA cache_size = -400000;
BEGIN;
INSERT INTO zones (id, name, vlan, filter_id, session_s, added_at)
	VALUES (1, 'bench', 120, 'bench', 3600, 1);
INSERT INTO issuers (id, name, der, added_at) VALUES (1, '/CN=bench', x'30', 1);
WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < @COUNT@)
INSERT INTO devices (id, serial, maker, model, mac, ward, zone_id, state, state_at, state_by,
	state_reason, added_at, mab_until)
SELECT n, printf('BENCH-%07d', n), 'Bench', 'One', printf('02:01:%02x:%02x:%02x:%02x',
	n >> 24 & 255, n >> 16 & 255, n >> 8 & 255, n & 255), 'w', 1, 'enrolled', 1, 'bench', '', 1, 0
FROM count;
INSERT INTO certificates (issuer_id, serial, device_id, state, method, key_type, spki_sha256,
	not_before, not_after, reserved_at, issued_at, superseded_at, revoked_at, source)
SELECT 1, printf('%08x%024x', (id * 2654435761) & 4294967295, id), id, 'valid', 'token', 'ec-p256',
	randomblob(32), 1, 4102444800000, 1, 1, 0, 0, ''
FROM devices;
COMMIT;
