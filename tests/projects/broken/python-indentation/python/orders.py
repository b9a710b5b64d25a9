def orders(customer):
    rows = []
     rows.append(customer)
    return rows
