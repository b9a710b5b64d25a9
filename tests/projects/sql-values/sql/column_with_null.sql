SELECT * FROM (VALUES (1), (NULL), (3)) t(i)
