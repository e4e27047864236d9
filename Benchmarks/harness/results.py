"""Every figure of a run, in one JSON file."""
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figure:
    scenario: str
    what: str
    metric: str
    unit: str
    values: list[float]
    """One value per round; empty if there is a problem."""
    at: dict[str, int | str] = field(default_factory=dict)
    """The conditions, such as the number of connections."""
    problem: str | None = None
    disturbed: bool = False
    """Whether other programs were busy in every try of some round."""

    @property
    def median(self) -> float | None:
        return median(self.values) if self.values else None

    def json(self) -> dict[str, object]:
        spread = {"median": self.median, "min": min(self.values), "max": max(self.values)} if self.values else {}
        return asdict(self) | spread


@dataclass
class Results:
    """The results, which are saved after each scenario, so that an interrupted run keeps them."""

    file: Path
    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, int | bool] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    """The task of a contestant; only contestants with the same task are compared."""
    seconds: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def add(
        self, scenario: str, what: str, metric: str, unit: str, values: list[float], *,
        problem: str | None = None, disturbed: bool = False, **at: int | str,
    ) -> None:
        kept = [] if problem else [_short(value) for value in values]
        self.figures.append(Figure(scenario, what, metric, unit, kept, at, problem, disturbed))

    def find(self, scenario: str, what: str, metric: str, **at: int | str) -> Figure | None:
        wanted = (figure for figure in self.of(scenario, metric) if figure.what == what and figure.at == at)
        return next(wanted, None)

    def value(self, scenario: str, what: str, metric: str, **at: int | str) -> float | None:
        figure = self.find(scenario, what, metric, **at)
        return figure.median if figure else None

    def of(self, scenario: str, metric: str | None = None) -> list[Figure]:
        return [figure for figure in self.figures if figure.scenario == scenario and metric in (None, figure.metric)]

    def add_ratios(self, scenario: str, base: str, metric: str) -> None:
        """The ratio of each figure to that of the base, round by round."""
        for figure in self.of(scenario, metric):
            below = self.find(scenario, base, metric, **figure.at)
            if not below or len(below.values) != len(figure.values) or not all(below.values):
                continue
            ratios = [value / under for value, under in zip(figure.values, below.values)]
            if ratios:
                self.add(
                    scenario, figure.what, f"{metric} ratio", f"times {base}", ratios,
                    disturbed=figure.disturbed or below.disturbed, **figure.at)

    def save(self) -> None:
        content = asdict(self) | {"figures": [figure.json() for figure in self.figures]}
        del content["file"]
        partial = self.file.with_suffix(".partial")
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        partial.replace(self.file)

    @staticmethod
    def load(file: Path) -> "Results":
        content = json.loads(file.read_text())
        derived = {"median", "min", "max"}
        figures = [
            Figure(**{key: value for key, value in figure.items() if key not in derived})
            for figure in content.pop("figures")
        ]
        return Results(file, figures=figures, **content)


def _short(value: float) -> float:
    """Rounds to four digits, which is more than the accuracy of any of these figures."""
    return float(f"{value:.4g}")
