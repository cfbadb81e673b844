-- SPDX-License-Identifier: BSD-2-Clause
-- The lowest version of TLS with which pumps of a model get into their own zone: docs/decisions/0215.
-- A model that is not here: as the server allows. min: 12 is TLS 1.2.

CREATE TABLE model_tls (
	model TEXT NOT NULL PRIMARY KEY,
	min INTEGER NOT NULL CHECK (min IN (12, 13)),
	set_at BIGINT NOT NULL,
	set_by TEXT NOT NULL
);
