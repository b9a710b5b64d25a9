SELECT i,
       error('stopped at ' || i) AS e
FROM range(3) t(i)
