-- SPDX-License-Identifier: BSD-2-Clause
-- Which ports pumps of a model may have open: docs/decisions/0153. A model that is not here: any.

CREATE TABLE model_ports (
	model TEXT NOT NULL PRIMARY KEY,
	allowed TEXT NOT NULL,
	set_at BIGINT NOT NULL,
	set_by TEXT NOT NULL
);
