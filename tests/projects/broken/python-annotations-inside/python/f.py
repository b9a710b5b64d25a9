import pathlib
from dataclasses import dataclass
from enum import Enum
from typing import Literal
from uuid import UUID

number = 5


@dataclass
class Order:
    id: int


class Color(str, Enum):
    RED = "red"


class thing:
    def __init__(self):
        self.x = 1


def f(
    ids: list[str],
    order: Order,
    orders: list[Order] | None,
    color: Color,
    size: Literal["s", "xl"],
    file: pathlib.Path,
    key: UUID | None,
    fitting: list[int | str],
    any_of_them: Literal["x", "y", "z"],
) -> list[str]:
    return []
