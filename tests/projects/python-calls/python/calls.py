import asyncio
from dataclasses import dataclass

from shared.names import title  # python/shared/names.py, no __init__.py


@dataclass
class Greeting:
    text: str
    excited: bool = False


def plain(name):
    return f"Hi {title(name)}"


async def awaited(name):
    await asyncio.sleep(0)
    return f"Hi {title(name)}"


async def gathered(names):
    async def one(n):
        await asyncio.sleep(0)
        return title(n)

    return await asyncio.gather(*(one(n) for n in names))


def as_object(name):
    return Greeting(f"Hi {name}", True)


def with_default(name, punctuation="!"):
    return name + punctuation


class Counter:
    def __init__(self):
        self.n = 0

    def __call__(self):
        self.n += 1
        return self.n


callable_object = Counter()


def nothing():
    pass
