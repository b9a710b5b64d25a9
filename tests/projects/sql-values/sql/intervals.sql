SELECT INTERVAL '1 day 2 hours' AS a, INTERVAL '3 months' AS b, INTERVAL '1.5 seconds' AS c, INTERVAL '0 days' AS z
