CREATE TABLE orders (id INTEGER, customer VARCHAR, amount DECIMAL(12, 2))
