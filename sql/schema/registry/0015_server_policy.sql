-- SPDX-License-Identifier: BSD-2-Clause
-- What pumps are told about our servers, signed: docs/decisions/0180. One row, the newest.

CREATE TABLE server_policy (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	number BIGINT NOT NULL,
	radius_name TEXT NOT NULL,
	der BLOB NOT NULL,
	set_at BIGINT NOT NULL,
	set_by TEXT NOT NULL
);
