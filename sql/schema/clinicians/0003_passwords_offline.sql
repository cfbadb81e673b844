-- SPDX-License-Identifier: BSD-2-Clause
-- Whether pumps with a TPM may let this role's people in without the server by password too. No
-- role may, until the house says so.

ALTER TABLE roles ADD COLUMN offline_passwords INTEGER NOT NULL DEFAULT 0
	CHECK (offline_passwords IN (0, 1));
