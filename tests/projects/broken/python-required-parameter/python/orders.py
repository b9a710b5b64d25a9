def orders(customer, limit):
    return []
