-- SPDX-License-Identifier: BSD-2-Clause
-- The event ring (docs/decisions/0140). taken: the numbers of the entries in the last commit, 8 bytes
-- each, which may not have been freed. lost_at: when accepts were last lost that no session tells of.
CREATE TABLE event_ring (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	ring TEXT NOT NULL,
	taken BLOB NOT NULL,
	lost_accepts BIGINT NOT NULL,
	lost_at BIGINT NOT NULL
);
INSERT INTO event_ring (id, ring, taken, lost_accepts, lost_at) VALUES (1, '', x'', 0, 0);
