"""What was measured: samples by row and side, their medians, and the errors of what could not be."""

import math
import statistics
from dataclasses import dataclass, field


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


@dataclass
class Figure:
    """One row of one side. `value` is the median of the samples, one sample a round."""

    samples: list[float] = field(default_factory=list)
    wrong: int = 0
    more: dict = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        return statistics.median(self.samples) if self.samples else None

    def as_json(self) -> dict:
        rounded = [round(sample, 4) for sample in self.samples]
        value = None if self.value is None else round(self.value, 4)
        return {"value": value, "samples": rounded, "wrong": self.wrong, **self.more}


@dataclass
class Figures:
    rows: dict[str, dict[str, Figure]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def figure(self, row: str, side: str) -> Figure:
        return self.rows.setdefault(row, {}).setdefault(side, Figure())

    def value(self, row: str, side: str) -> float | None:
        figure = self.rows.get(row, {}).get(side)
        return figure.value if figure else None

    def wrong(self) -> int:
        return sum(figure.wrong for sides in self.rows.values() for figure in sides.values())
