def orders(customer):
    rows = [
        {"id": 1, "customer": customer},
        {"id": 2, "customer": "Bob"
    ]
    return rows
