SELECT id, name, salary, card, {'city': city, 'street': street} AS home
FROM (VALUES
  ('sales', 1, 'Ann', 100.50, '4111', 'Bern', 'A 1'),
  ('sales', 2, 'Bob', 200.00, '4222', 'Rome', 'B 2'),
  ('board', 3, 'Cid', 9999.99, '4333', 'Oslo', 'C 3'))
  AS staff(department, id, name, salary, card, city, street)
WHERE department = $department AND $user IS NOT NULL
ORDER BY id
