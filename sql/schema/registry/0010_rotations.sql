-- SPDX-License-Identifier: BSD-2-Clause
-- Rotations of certificates in waves: docs/decisions/0131. Which certificates are asked to be renewed
-- early, and what became of each; a certificate is in one wave of one rotation once.

CREATE TABLE rotations (
	id INTEGER PRIMARY KEY,
	state TEXT NOT NULL CHECK (state IN ('running', 'halted', 'done', 'cancelled')),
	chosen TEXT NOT NULL,
	requested_at BIGINT NOT NULL,
	requested_by TEXT NOT NULL,
	patience_ms BIGINT NOT NULL,
	budget_percent INTEGER NOT NULL,
	quiet_from INTEGER NOT NULL,
	quiet_until INTEGER NOT NULL,
	waves INTEGER NOT NULL,
	wave INTEGER NOT NULL,
	pumps INTEGER NOT NULL,
	forgiven INTEGER NOT NULL,
	resumed INTEGER NOT NULL,
	why TEXT NOT NULL,
	ended_at BIGINT NOT NULL
);
-- one at a time
CREATE UNIQUE INDEX rotations_open ON rotations ((1)) WHERE state IN ('running', 'halted');

CREATE TABLE rotation_certificates (
	rotation_id BIGINT NOT NULL REFERENCES rotations (id),
	certificate_id BIGINT NOT NULL REFERENCES certificates (id),
	wave INTEGER NOT NULL,
	state TEXT NOT NULL
		CHECK (state IN ('waiting', 'asked', 'renewed', 'failed', 'absent', 'gone')),
	asked_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	PRIMARY KEY (rotation_id, certificate_id)
);
CREATE INDEX rotation_certificates_wave ON rotation_certificates (rotation_id, wave, state);
-- what pumps are told, and what is looked at again and again
CREATE INDEX rotation_certificates_told ON rotation_certificates (certificate_id)
	WHERE state IN ('asked', 'failed', 'absent');
