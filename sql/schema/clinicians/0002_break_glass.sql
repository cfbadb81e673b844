-- SPDX-License-Identifier: BSD-2-Clause
-- Codes in sealed envelopes: each for one pump, once, until a time. The code itself is nowhere: hash
-- is argon2id over pump and code (sql/wire/break_glass.h). Rows stay, so
-- that numbers are not used again. used_at is the pump's clock; told_at ours, when we heard of it.

CREATE TABLE break_glass (
	id INTEGER PRIMARY KEY,
	device TEXT NOT NULL,
	ward TEXT NOT NULL,
	role TEXT NOT NULL,
	session_s INTEGER NOT NULL,
	idle_s INTEGER NOT NULL,
	salt BLOB NOT NULL,
	hash BLOB NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('open', 'used', 'reviewed', 'void')),
	issued_at BIGINT NOT NULL,
	issued_by TEXT NOT NULL,
	not_after BIGINT NOT NULL,
	used_at BIGINT NOT NULL,
	told_at BIGINT NOT NULL,
	reviewed_at BIGINT NOT NULL,
	reviewed_by TEXT NOT NULL,
	person TEXT NOT NULL,
	reason TEXT NOT NULL
);
CREATE INDEX break_glass_device ON break_glass (device, state, id);
CREATE INDEX break_glass_state ON break_glass (state, id);
