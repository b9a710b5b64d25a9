SELECT sum(i) AS s, avg(i) AS a, max(d) AS m, count(*) AS c FROM (SELECT 1 AS i, DATE '2024-02-29' AS d WHERE false)
