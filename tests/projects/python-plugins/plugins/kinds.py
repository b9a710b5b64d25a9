from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Optional, TypedDict
from uuid import UUID

from mxcp.plugins import MXCPBasePlugin, udf

Exact = Annotated[Decimal, "DECIMAL(38,10)"]


class Point(TypedDict):
    x: int
    label: str


@dataclass
class Pair:
    first: Point
    second: list[Point]


class MXCPPlugin(MXCPBasePlugin):
    @udf
    def text(self, v: str) -> str:
        return v

    @udf
    def whole(self, v: int) -> int:
        return v

    @udf
    def real(self, v: float) -> float:
        return v

    @udf
    def truth(self, v: bool) -> bool:
        return v

    @udf
    def raw(self, v: bytes) -> bytes:
        return v

    @udf
    def money(self, v: Decimal) -> Decimal:
        assert v is None or isinstance(v, Decimal)
        return v

    @udf
    def exact(self, v: Exact) -> Exact:
        return v

    @udf
    def day(self, v: date) -> date:
        return v

    @udf
    def clock(self, v: time) -> time:
        return v

    @udf
    def moment(self, v: datetime) -> datetime:
        return v

    @udf
    def span(self, v: timedelta) -> timedelta:
        return v

    @udf
    def id(self, v: UUID) -> UUID:
        return v

    @udf
    def texts(self, v: list[str | None]) -> list[str | None]:
        return v

    @udf
    def lists(self, v: list[list[int]]) -> list[list[int]]:
        return v

    @udf
    def map(self, v: dict[str, list[int]]) -> dict[str, list[int]]:
        return v

    @udf
    def point(self, v: Point) -> Point:
        return v

    @udf
    def pair(self, v: Pair) -> Pair:
        return Pair(v["first"], v["second"]) if v else None

    @udf
    def plus(self, a: int, b: Optional[int]) -> int | None:  # noqa: UP045
        return None if a is None or b is None else a + b

    @udf
    def always(self) -> str:
        return "the same"

    @udf
    def is_none(self, v: str) -> bool:
        return v is None

    # --- mistakes

    @udf
    def raises(self, v: str) -> str:
        raise ValueError("not " + v)

    @udf
    def too_large(self, v: int) -> int:
        return v * 10**20

    @udf
    def no_text(self, v: int) -> str:
        return v

    @udf
    def wrong_element(self, v: int) -> list[str]:
        return ["a", v]

    @udf
    def wrong_member(self, v: int) -> Point:
        return {"x": v, "lable": "p"}

    @udf
    def wide(self, v: int) -> Decimal:
        return Decimal(v) * 10**15

    @udf
    def rounded(self, v: str) -> Decimal:
        return Decimal(v)

    # --- defaults

    @udf
    def padded(self, text: str, width: int = 5, fill: str | None = "*") -> str:
        return text.ljust(width, fill or " ")

    @udf
    def constant(self, text: str = "none") -> str:
        return text

    def not_in_sql(self, v: int) -> int:
        return v + 1
