"""Figures and tables as Markdown."""
from .results import Figure

NO_FIGURE = "–"
DISTURBED = "†"


def number(value: float) -> str:
    """No more digits than a benchmark is good for."""
    if value and abs(value) < 0.1:
        return f"{value:.3f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def count(value: float) -> str:
    """Of things that are counted, which are exact."""
    return f"{value:,.0f}"


def cell(figure: Figure | None, *, spread: bool = False) -> str:
    """A figure without its unit, which stands above the column."""
    if figure is None or figure.median is None:
        return NO_FIGURE
    text = number(figure.median) + (DISTURBED if figure.disturbed else "")
    if spread and len(figure.values) > 1:
        text += f" ({number(min(figure.values))}–{number(max(figure.values))})"
    return text


def table(header: list[str], rows: list[list[str]]) -> str:
    """The first column is text, the others are figures."""
    if not rows:
        return "No figure.\n"
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def bullets(texts: list[str]) -> str:
    return "".join(f"* {text}\n" for text in texts)
