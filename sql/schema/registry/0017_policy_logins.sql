-- SPDX-License-Identifier: BSD-2-Clause
-- The server policy tells pumps the login server too: docs/decisions/0206.

ALTER TABLE server_policy ADD COLUMN login_server TEXT NOT NULL DEFAULT '';
ALTER TABLE server_policy ADD COLUMN login_name TEXT NOT NULL DEFAULT '';
ALTER TABLE server_policy ADD COLUMN named_at BIGINT NOT NULL DEFAULT 0;
UPDATE server_policy SET named_at = set_at;
