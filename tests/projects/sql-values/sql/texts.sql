SELECT 'äöü 😀' AS u, 'a"b\c' AS q, chr(9) || chr(10) || chr(1) AS c, '' AS e, repeat('x', 20) AS long
