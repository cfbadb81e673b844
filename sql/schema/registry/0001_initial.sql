-- SPDX-License-Identifier: BSD-2-Clause
-- What was issued and is in force, and what an operator did. Times are milliseconds since 1970 UTC;
-- 0 is "never". States are the names of policies/standing.h.

CREATE TABLE zones (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	vlan INTEGER NOT NULL CHECK (vlan BETWEEN 1 AND 4094),
	filter_id TEXT NOT NULL,
	session_s INTEGER NOT NULL,
	onboarding INTEGER NOT NULL CHECK (onboarding IN (0, 1)),
	added_at BIGINT NOT NULL
);
-- at most one onboarding zone
CREATE UNIQUE INDEX zones_onboarding ON zones (onboarding) WHERE onboarding = 1;

CREATE TABLE nas (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	ip TEXT NOT NULL UNIQUE,
	das_port INTEGER NOT NULL CHECK (das_port BETWEEN 0 AND 65535),
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	secret BLOB NOT NULL,
	secret_version INTEGER NOT NULL,
	added_at BIGINT NOT NULL
);

CREATE TABLE devices (
	id INTEGER PRIMARY KEY,
	serial TEXT NOT NULL UNIQUE,
	maker TEXT NOT NULL,
	model TEXT NOT NULL,
	mac TEXT NOT NULL UNIQUE,
	ward TEXT NOT NULL,
	zone_id BIGINT NOT NULL REFERENCES zones (id),
	state TEXT NOT NULL CHECK (state IN ('expected', 'enrolled', 'revoked')),
	state_at BIGINT NOT NULL,
	state_by TEXT NOT NULL,
	state_reason TEXT NOT NULL,
	added_at BIGINT NOT NULL,
	mab_until BIGINT NOT NULL
);
CREATE INDEX devices_zone ON devices (zone_id);
CREATE INDEX devices_state ON devices (state);

CREATE TABLE issuers (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	der BLOB NOT NULL,
	added_at BIGINT NOT NULL
);

-- The one-time token itself is never stored, only its SHA-256.
CREATE TABLE tokens (
	id INTEGER PRIMARY KEY,
	device_id BIGINT NOT NULL REFERENCES devices (id),
	hash BLOB NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('open', 'used', 'void')),
	created_at BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL,
	used_spki BLOB
);
CREATE INDEX tokens_device ON tokens (device_id, id);

CREATE TABLE certificates (
	id INTEGER PRIMARY KEY,
	issuer_id BIGINT NOT NULL REFERENCES issuers (id),
	serial TEXT NOT NULL,
	device_id BIGINT NOT NULL REFERENCES devices (id),
	state TEXT NOT NULL CHECK (state IN ('reserved', 'valid', 'superseded', 'revoked')),
	method TEXT NOT NULL,
	key_type TEXT NOT NULL,
	spki_sha256 BLOB NOT NULL,
	not_before BIGINT NOT NULL,
	not_after BIGINT NOT NULL,
	reserved_at BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	superseded_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL,
	source TEXT NOT NULL,
	token_id BIGINT REFERENCES tokens (id),
	prior_id BIGINT REFERENCES certificates (id),
	UNIQUE (issuer_id, serial)
);
CREATE INDEX certificates_serial ON certificates (serial);
CREATE INDEX certificates_device ON certificates (device_id, id);
CREATE INDEX certificates_key ON certificates (spki_sha256);
CREATE INDEX certificates_token ON certificates (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX certificates_prior ON certificates (prior_id) WHERE prior_id IS NOT NULL;
CREATE INDEX certificates_end ON certificates (state, not_after);

-- Apart, so that a look-up of standing does not read past certificates.
CREATE TABLE certificate_der (
	certificate_id BIGINT NOT NULL PRIMARY KEY REFERENCES certificates (id),
	der BLOB NOT NULL
);

CREATE TABLE revocations (
	id INTEGER PRIMARY KEY,
	device_id BIGINT NOT NULL REFERENCES devices (id),
	asked_at BIGINT NOT NULL,
	committed_at BIGINT NOT NULL,
	certificates INTEGER NOT NULL,
	revoked_by TEXT NOT NULL,
	reason TEXT NOT NULL,
	return_refused_at BIGINT NOT NULL
);
CREATE INDEX revocations_device ON revocations (device_id, id);

-- The outbox of Disconnect-Requests. next_at: when it may be taken (again).
CREATE TABLE orders (
	id INTEGER PRIMARY KEY,
	revocation_id BIGINT NOT NULL REFERENCES revocations (id),
	device_id BIGINT NOT NULL REFERENCES devices (id),
	nas_id BIGINT REFERENCES nas (id),
	nas TEXT NOT NULL,
	session_id TEXT NOT NULL,
	calling_station TEXT NOT NULL,
	cause TEXT NOT NULL CHECK (cause IN ('session', 'recent', 'late')),
	state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'acked', 'gone', 'unsendable')),
	attempts INTEGER NOT NULL,
	last_result TEXT NOT NULL,
	error_cause INTEGER NOT NULL,
	rtt_us INTEGER NOT NULL,
	detail TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	done_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL
);
CREATE INDEX orders_revocation ON orders (revocation_id, id);
CREATE INDEX orders_device ON orders (device_id, id);
CREATE INDEX orders_open ON orders (next_at) WHERE state IN ('waiting', 'sent');

-- hash = SHA-256(hash of the row before, row); audit_head repeats the newest seq and hash.
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY,
	at BIGINT NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL,
	hash BLOB NOT NULL
);
CREATE INDEX audit_object ON audit (object, seq);
CREATE TABLE audit_head (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	seq BIGINT NOT NULL,
	hash BLOB NOT NULL
);
