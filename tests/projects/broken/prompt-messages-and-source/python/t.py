def t(topics):
    return topics
