SELECT '\x00\xFF'::BLOB AS b, '00000000-0000-0000-0000-000000000001'::UUID AS u, 'x'::ENUM('x', 'y') AS e, '101'::BIT AS bits, true AS t, NULL AS n, '{"a": 1}'::JSON AS j
