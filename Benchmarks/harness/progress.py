"""The current scenario, and the remaining time."""
import sys
import time


class Progress:
    def __init__(self) -> None:
        self._waiting: dict[str, float] = {}
        self._scenario = ""
        self._estimate = 0.0
        self._began = time.monotonic()

    def plan(self, estimates: dict[str, float]) -> None:
        """The scenarios, with the expected seconds of each."""
        self._waiting = dict(estimates)

    def begin(self, scenario: str) -> None:
        self._scenario = scenario
        self._estimate = self._waiting.pop(scenario, 0.0)
        self._began = time.monotonic()

    def end(self) -> int:
        """The seconds that the scenario took."""
        return round(time.monotonic() - self._began)

    def say(self, text: str) -> None:
        passed = time.monotonic() - self._began
        left = max(0.0, self._estimate - passed) + sum(self._waiting.values())
        print(f"[{self._scenario}] {text} (about {_span(left)} left)", file=sys.stderr, flush=True)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
