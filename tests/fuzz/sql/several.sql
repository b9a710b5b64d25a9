CREATE TEMP TABLE t AS SELECT $a AS x; -- $no 'quote
INSERT INTO t VALUES ($a, $b, 'it''s; $c', "q""x", $$ $d ; $$, $tag$ ; $tag$, E'\'$e');
/* ; /* $f */ */ SELECT * FROM t WHERE $a IS NULL OR x = $a;;