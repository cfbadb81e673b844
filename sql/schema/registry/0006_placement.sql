-- SPDX-License-Identifier: BSD-2-Clause
-- Pumps that are let on, but into another zone than their own, and the zones for them.

-- What a zone is for besides pumps of its own; at most one zone for each purpose (NULL: none).
ALTER TABLE zones ADD COLUMN purpose TEXT
	CHECK (purpose IN ('onboarding', 'quarantine', 'parking'));
UPDATE zones SET purpose = 'onboarding' WHERE onboarding = 1;
DROP INDEX zones_onboarding;
ALTER TABLE zones DROP COLUMN onboarding;
CREATE UNIQUE INDEX zones_purpose ON zones (purpose);

-- The purpose of the zone that an enrolled pump is placed in; NULL: its own.
ALTER TABLE devices ADD COLUMN placement TEXT CHECK (placement IN ('quarantine', 'parking'));
DROP INDEX devices_state;
CREATE INDEX devices_state ON devices (state, placement);

-- Each row is one change of a pump's standing. return_refused_at: when the pump first got what the
-- new standing gives it (after a revocation: a refusal).
ALTER TABLE revocations ADD COLUMN action TEXT NOT NULL DEFAULT 'revoke'
	CHECK (action IN ('revoke', 'quarantine', 'park', 'release'));
