def orders(custommer, limit=10):
    return []
