def title(name):
    return name[:1].upper() + name[1:]
