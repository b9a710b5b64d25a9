CREATE TABLE orders (id INTEGER, day DATE);
