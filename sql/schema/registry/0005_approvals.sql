-- SPDX-License-Identifier: BSD-2-Clause
-- Requests for a certificate that nothing but a person's word can allow: one row per pump and key.
-- An approval is for just that key; it is 'used' in the transaction that reserves the certificate.
CREATE TABLE approvals (
	id INTEGER PRIMARY KEY,
	device_id BIGINT NOT NULL REFERENCES devices (id),
	spki_sha256 BLOB NOT NULL,
	key_type TEXT NOT NULL,
	prior_id BIGINT NOT NULL REFERENCES certificates (id),
	state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'denied', 'used')),
	source TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	decided_at BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	decided_why TEXT NOT NULL,
	UNIQUE (device_id, spki_sha256)
);
CREATE INDEX approvals_state ON approvals (state, expires_at);
