"""The plots of the report, as SVG with light colors and, for readers who prefer a dark page, dark ones."""
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402 (the backend first)
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure as Canvas  # noqa: E402

from . import check, renew, scale  # noqa: E402
from .markdown import number  # noqa: E402
from .results import Results  # noqa: E402

OURS, OTHERS, INK, GRID, PAPER = "#0b6e4f", "#b4bcc4", "#24292f", "#e3e6e9", "#ffffff"
LINES = ["#8a6d3b", "#7a5195", "#3f6fb5", "#b0413e"]
DARK = {
    OURS: "#3fb950", OTHERS: "#656c76", INK: "#f0f6fc", GRID: "#2b3138", PAPER: "#0d1117",
    **dict(zip(LINES, ["#d4a72c", "#c297ff", "#79c0ff", "#ff7b72"]))}
CONNECTIONS = max(check.CONNECTIONS)
ALTERNATIVES = {
    "performance-check": "Processor time per check: ours and the peers, each a bar, the cheapest on top",
    "performance-renewals": "Renewals per second with 1, 16 and 64 clients: ours and the peers, each a line",
    "performance-scale": "Processor time per check, renewals per second, start and memory, over the number of sessions",
}
STYLE = {
    "svg.hashsalt": "cloakroom",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": OTHERS,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
}


def draw(results: Results, directory: Path) -> list[str]:
    """The names of the plots for which there are figures."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    with matplotlib.rc_context(STYLE):
        for name, plot in PLOTS.items():
            if canvas := plot(results):
                file = directory / f"{name}.svg"
                canvas.savefig(file, facecolor=PAPER, bbox_inches="tight", metadata={"Date": None})
                file.write_text(_with_dark_colors(file.read_text()))
                pyplot.close(canvas)
                drawn.append(name)
    return drawn


def _with_dark_colors(svg: str) -> str:
    """matplotlib writes each color into a `style` attribute, which only an important rule overrides."""
    rules = "".join(
        f'[style*="{name}: {light}"]{{{name}: {dark} !important}}\n'
        for light, dark in DARK.items() for name in ("fill", "stroke"))
    return svg.replace("</style>", f"\n@media (prefers-color-scheme: dark) {{\n{rules}}}</style>", 1)


def _check(results: Results) -> Canvas | None:
    figures = [
        figure for figure in results.of(check.SCENARIO, "cpu")
        if figure.values and figure.at == {"connections": CONNECTIONS}]
    if not figures:
        return None
    figures.sort(key=lambda figure: figure.median, reverse=True)
    canvas, axes = pyplot.subplots(figsize=(9, 0.6 + 0.36 * len(figures)))
    colors = [OURS if figure.what in check.OURS else OTHERS for figure in figures]
    values = [figure.median for figure in figures]
    bars = axes.barh([figure.what for figure in figures], values, color=colors, height=0.7)
    axes.bar_label(bars, [f"{number(value)} µs" for value in values], padding=4)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 2, max(values) * 2.5)
    axes.set_title(f"Processor time per check, {CONNECTIONS} connections (shorter is better; logarithmic)")
    axes.xaxis.set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return canvas


def _renewals(results: Results) -> Canvas | None:
    series: dict[str, dict[int, float]] = {}
    for figure in results.of(renew.SCENARIO, "rate"):
        if figure.values:
            series.setdefault(figure.what, {})[int(figure.at["clients"])] = figure.median
    if not series:
        return None
    canvas, axes = pyplot.subplots(figsize=(9, 4.2))
    colors = iter(LINES * len(series))
    for what, points in series.items():
        color, width = (OURS, 2.6) if what == renew.OURS else (next(colors), 1.4)
        axes.plot(list(points), list(points.values()), marker="o", color=color, linewidth=width, label=what)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(renew.CLIENTS, [str(clients) for clients in renew.CLIENTS])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(_thousands)
    axes.grid(axis="y", color=GRID)
    axes.set_xlabel("clients")
    axes.set_title("Renewals per second, each durable (higher is better; logarithmic)")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return canvas


def _scale(results: Results) -> Canvas | None:
    panels = [
        ("CPU per check, µs", "cpu", {"job": "check"}),
        ("Renewals per second, 64 clients", "rate", {"job": "renew"}),
        ("Start, seconds", "start", {}),
        ("Memory at the start, MiB", "memory at the start", {}),
    ]
    sizes = [int(figure.what.split()[0].replace(",", "")) for figure in results.of(scale.SCENARIO, "start")]
    if len(sizes) < 2:
        return None
    canvas, grid = pyplot.subplots(2, 2, figsize=(9, 5.6), layout="constrained")
    for axes, (title, metric, at) in zip(grid.flat, panels):
        points = [(size, results.value(scale.SCENARIO, scale.what(size), metric, **at)) for size in sizes]
        _grow(axes, title, [(size, value) for size, value in points if value is not None], sizes)
    return canvas


def _grow(axes: Axes, title: str, points: list[tuple[int, float]], sizes: list[int]) -> None:
    axes.plot([size for size, _ in points], [value for _, value in points], marker="o", color=OURS, linewidth=2)
    for size, value in points:
        axes.annotate(number(value), (size, value), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=9)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xlim(min(sizes) / 2, max(sizes) * 2)
    axes.minorticks_off()
    axes.set_ylim(0, max((value for _, value in points), default=1) * 1.3)
    axes.grid(axis="y", color=GRID)
    axes.set_title(title)
    axes.set_xlabel("sessions")


def _thousands(value: float, _: int) -> str:
    return f"{value:,.0f}"


PLOTS: dict[str, Callable[[Results], Canvas | None]] = {
    "performance-check": _check,
    "performance-renewals": _renewals,
    "performance-scale": _scale,
}
