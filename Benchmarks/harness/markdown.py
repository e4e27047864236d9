"""Figures and tables as Markdown."""
from .results import Figure

NO_FIGURE = "–"
DISTURBED = "†"


def number(value: float) -> str:
    """Rounds to the digits that a benchmark can support."""
    if value and abs(value) < 0.1:
        return f"{value:.3f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def count(value: float) -> str:
    """Formats exact counts."""
    return f"{value:,.0f}"


def cell(figure: Figure | None, *, spread: bool = False) -> str:
    """Formats a figure without its unit, which the column's title has."""
    if figure is None or figure.median is None:
        return NO_FIGURE
    text = number(figure.median) + (DISTURBED if figure.disturbed else "")
    if spread and len(figure.values) > 1:
        text += f" ({number(min(figure.values))}–{number(max(figure.values))})"
    return text


def table(header: list[str], rows: list[list[str]]) -> str:
    """Aligns the first column as text, and the others as figures."""
    if not rows:
        return "No figure.\n"
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def bullets(texts: list[str]) -> str:
    return "".join(f"* {text}\n" for text in texts)
