-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE IF NOT EXISTS prices (kind text PRIMARY KEY, price numeric NOT NULL);
INSERT INTO prices VALUES ('order', 17.50) ON CONFLICT DO NOTHING;
