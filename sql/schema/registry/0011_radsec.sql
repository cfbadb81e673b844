-- SPDX-License-Identifier: BSD-2-Clause
-- NAS that speak RadSec are known by certificate: docs/decisions/0110.

-- For such a NAS `secret` is RFC 6614's constant, and `ip` is '~' and its name when it has no
-- address of its own.
ALTER TABLE nas ADD COLUMN radsec INTEGER NOT NULL DEFAULT 0;

CREATE TABLE nas_certificates (
	id INTEGER PRIMARY KEY,
	nas_id BIGINT NOT NULL REFERENCES nas (id),
	issuer TEXT NOT NULL,
	serial TEXT NOT NULL UNIQUE,
	state TEXT NOT NULL CHECK (state IN ('valid', 'revoked')),
	spki_sha256 BLOB NOT NULL,
	not_before BIGINT NOT NULL,
	not_after BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL,
	der BLOB NOT NULL
);
CREATE INDEX nas_certificates_nas ON nas_certificates (nas_id, id);
