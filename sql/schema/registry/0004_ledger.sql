-- SPDX-License-Identifier: BSD-2-Clause
-- The registry held against the signer's own lists: docs/decisions/0094.

-- When the signer's list of revoked serials was known to hold it; 0: not yet.
ALTER TABLE certificates ADD COLUMN kept_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX certificates_unkept ON certificates (id) WHERE state = 'revoked' AND kept_at = 0;

-- The signer knows a revocation that this registry has forgotten: refused until the merge.
ALTER TABLE devices ADD COLUMN held_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX devices_held ON devices (id) WHERE held_at > 0;

-- Up to which entry of each list this registry has seen them. compare_needed: it came from a backup
-- and nobody is let on before the signer has been heard.
CREATE TABLE ledger (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	issued BIGINT NOT NULL,
	issued_serial TEXT NOT NULL,
	revoked BIGINT NOT NULL,
	revoked_serial TEXT NOT NULL,
	compare_needed INTEGER NOT NULL CHECK (compare_needed IN (0, 1)),
	compared_at BIGINT NOT NULL
);
INSERT INTO ledger VALUES (1, 0, '', 0, '', 0, 0);

CREATE TABLE restored_gap (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('revoked', 'lost')),
	device TEXT NOT NULL,
	serial TEXT NOT NULL,
	at BIGINT NOT NULL,
	found_at BIGINT NOT NULL,
	merged_at BIGINT NOT NULL,
	UNIQUE (kind, serial)
);
CREATE INDEX restored_gap_open ON restored_gap (id) WHERE merged_at = 0;
