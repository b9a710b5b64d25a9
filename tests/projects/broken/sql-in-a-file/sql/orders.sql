-- all orders of a customer
SELECT id, amount
FROM orders
WHERE custommer = $customer
