CREATE TABLE wide AS
SELECT i AS id, i * 7 AS number, i / 3.0 AS share, 'name ' || i AS name,
       DATE '2020-01-01' + (i % 1000)::INTEGER AS day,
       TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND AS moment, i % 2 = 0 AS flag,
       (i * 1.25)::DECIMAL(12, 2) AS amount,
       CASE WHEN i % 5 > 0 THEN 'some longer text with words ' || (i % 97) END AS note, i % 17 AS kind
FROM range(100000) r(i);
SELECT count(*) AS n FROM wide;
