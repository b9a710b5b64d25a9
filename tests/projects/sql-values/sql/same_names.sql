SELECT 1 AS id, 2 AS id, 3 AS id, 4 AS id_1
