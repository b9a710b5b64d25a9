def own(price, note):
    return {"price": price, "note": note, "margin": int(price)}
