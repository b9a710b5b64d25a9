-- The data of the benchmark: 10,000 users, 100,000 orders, the same on every machine.
-- Loaded with `mxcp query --file data.sql`; expected.py repeats the formulas to check every answer.
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS orders;

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name VARCHAR,
    email VARCHAR,
    department VARCHAR,
    created_at VARCHAR
);
INSERT INTO users
SELECT n::INTEGER,
       'User ' || n,
       'user' || n || '@example.com',
       ['Engineering', 'Sales', 'Support', 'Finance', 'Research'][n % 5 + 1],
       strftime(TIMESTAMP '2024-01-01 00:00:00' + to_minutes(n), '%Y-%m-%dT%H:%M:%S')
FROM range(1, 10001) AS numbers(n);

-- Users 1 to 5,000 have 20 orders each, the others none.
CREATE TABLE orders (
    id INTEGER,
    user_id INTEGER,
    amount DOUBLE,
    status VARCHAR,
    created_at VARCHAR
);
INSERT INTO orders
SELECT n::INTEGER,
       (n % 5000 + 1)::INTEGER,
       (n * 37 % 10000) / 4.0,
       CASE n // 5000 % 5 WHEN 3 THEN 'pending' WHEN 4 THEN 'cancelled' ELSE 'completed' END,
       strftime(TIMESTAMP '2024-06-01 00:00:00' + to_minutes(n), '%Y-%m-%dT%H:%M:%S')
FROM range(0, 100000) AS numbers(n);

SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM orders) AS orders;
