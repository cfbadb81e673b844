-- SPDX-License-Identifier: BSD-2-Clause
-- Recalls of many pumps: docs/decisions/0100. A recall is stored whole, with its pumps, before
-- anything is revoked, and then what became of each pump.

CREATE TABLE recalls (
	id INTEGER PRIMARY KEY,
	state TEXT NOT NULL
		CHECK (state IN ('draft', 'requested', 'running', 'paused', 'done', 'cancelled')),
	chosen TEXT NOT NULL,
	reason TEXT NOT NULL,
	per_second INTEGER NOT NULL,
	pumps INTEGER NOT NULL,
	revoked INTEGER NOT NULL,
	already INTEGER NOT NULL,
	second_person INTEGER NOT NULL CHECK (second_person IN (0, 1)),
	requested_at BIGINT NOT NULL,
	requested_by TEXT NOT NULL,
	requested_uid BIGINT NOT NULL,
	confirmed_at BIGINT NOT NULL,
	confirmed_by TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE INDEX recalls_requester ON recalls (requested_uid, requested_at);

CREATE TABLE recall_pumps (
	recall_id BIGINT NOT NULL REFERENCES recalls (id),
	device_id BIGINT NOT NULL REFERENCES devices (id),
	state TEXT NOT NULL CHECK (state IN ('waiting', 'revoked', 'already')),
	revocation_id BIGINT REFERENCES revocations (id),
	PRIMARY KEY (recall_id, device_id)
);
CREATE INDEX recall_pumps_waiting ON recall_pumps (recall_id, device_id)
	WHERE state = 'waiting';

-- Whether [recall] second_person was on when registryd last started: a change is audited.
CREATE TABLE recall_rule (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	second_person INTEGER NOT NULL CHECK (second_person IN (0, 1))
);
INSERT INTO recall_rule VALUES (1, 1);

-- Both leading columns are in the question, so that it is this index that answers it, not the one
-- that has every revoked certificate.
DROP INDEX certificates_unkept;
CREATE INDEX certificates_unkept ON certificates (state, kept_at, id)
	WHERE state = 'revoked' AND kept_at = 0;
