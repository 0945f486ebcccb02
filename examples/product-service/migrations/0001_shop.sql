-- Runs on SQLite and on PostgreSQL: identifiers are text, numbers are 64 bits, and nothing else is asked of either.
CREATE TABLE products (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    category    TEXT NOT NULL,
    price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
    -- Counts the changes of a row: an update names the version it was made from.
    version     BIGINT NOT NULL
);

CREATE INDEX products_by_category ON products (category, price_cents);
CREATE INDEX products_by_price ON products (price_cents);

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL
);

CREATE TABLE wishes (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    product_id TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, product_id)
);

CREATE INDEX wishes_by_product ON wishes (product_id);
