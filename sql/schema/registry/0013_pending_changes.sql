-- SPDX-License-Identifier: BSD-2-Clause
-- Changes of standing that wait until their pump reports that it does not infuse:
-- docs/decisions/0151. One for each pump. at_latest: then in any case; 0: however long it takes.

CREATE TABLE pending_changes (
	device_id INTEGER NOT NULL PRIMARY KEY REFERENCES devices (id),
	action TEXT NOT NULL CHECK (action IN ('revoke', 'quarantine', 'park', 'release')),
	reason TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	asked_by TEXT NOT NULL,
	at_latest BIGINT NOT NULL
);
