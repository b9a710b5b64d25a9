-- The data of the tutorial. Load it (again) with:  mxcp query --file load.sql

CREATE OR REPLACE TABLE users (
    id INTEGER PRIMARY KEY,
    name VARCHAR,
    email VARCHAR,
    department VARCHAR,
    created_at TIMESTAMP
);

INSERT INTO users VALUES
    (1, 'Alice', 'alice@example.com', 'Sales',       '2024-01-15 09:30:00.123456'),
    (2, 'Bob',   'bob@example.com',   'Engineering', '2024-02-01 00:00:00.000001'),
    (3, 'Carol', 'carol@example.com', 'Support',     '2024-02-29 23:59:59.999999'),
    (4, 'Dave',  'dave@example.com',  'Finance',     '2024-03-10 12:00:00'),
    (5, 'Erin',  'erin@example.com',  'Research',    '2024-04-05 08:15:30.5'),
    (6, 'Zoë',   'zoe@example.com',   'Sales',       '2024-05-20 17:45:12.654321'),
    (7, NULL,    'unknown@example.com', NULL,        NULL);

CREATE OR REPLACE TABLE orders (
    id INTEGER PRIMARY KEY,
    user_id INTEGER,
    amount DECIMAL(12, 2),
    status VARCHAR,
    created_at TIMESTAMP
);

-- Users 1 to 6 have 25, 10, 3, 2, 1 and 0 completed orders. Each order of a user is larger than the
-- one before it: 10.25, 20.25, 30.25 ...
INSERT INTO orders
SELECT row_number() OVER (ORDER BY user_id, n),
       user_id,
       (n * 10 + 0.25)::DECIMAL(12, 2),
       'completed',
       TIMESTAMP '2024-06-01 08:00:00.000001' + to_days(n::INTEGER)
FROM (VALUES (1, 25), (2, 10), (3, 3), (4, 2), (5, 1)) AS completed(user_id, orders),
     LATERAL (SELECT unnest(range(1, orders + 1)) AS n);

-- Orders that are not completed; one of them has no amount yet.
INSERT INTO orders VALUES
    (101, 1, 9999.99, 'cancelled', '2024-08-01 10:00:00.5'),
    (102, 1, NULL,    'pending',   '2024-08-02 11:30:00.123456'),
    (103, 6, 49.90,   'pending',   '2024-08-03 00:00:00');

CREATE OR REPLACE TABLE cache_table (key VARCHAR, value VARCHAR);
INSERT INTO cache_table VALUES ('motto', 'measure twice'), ('empty', NULL);

CREATE OR REPLACE TABLE data (key VARCHAR, value DECIMAL(12, 2), noted_at TIMESTAMP);
INSERT INTO data VALUES ('item1', 12.50, '2024-06-01 12:00:00.25'), ('item2', NULL, NULL);

SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM orders) AS orders;
