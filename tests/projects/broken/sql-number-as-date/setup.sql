CREATE TABLE orders (id INTEGER, customer INTEGER, day DATE);
