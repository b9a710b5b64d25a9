class Shop:
    def orders(self, customer):
        return []
