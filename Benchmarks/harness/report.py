"""The run as a page: `python -m harness.report RESULTS_JSON DOCS` writes it again without measuring."""
import sys
from pathlib import Path

from . import gateway_tables, postgres_tables, tables
from .check import SCENARIO as CHECK
from .goals import goals
from .markdown import bullets, table
from .plots import ALTERNATIVES, draw
from .results import Results
from .slower import slower, unmeasured

HERE = Path(__file__).parent
PROFILE = HERE.parent / "profile.md"
VERDICTS = {True: "yes", False: "**no**", None: "–"}


def write(results: Results, docs: Path) -> Path:
    docs.mkdir(parents=True, exist_ok=True)
    images = draw(results, docs / "images")
    page = docs / "performance.md"
    page.write_text(markdown(results, images))
    (docs / "performance.json").write_text(results.file.read_text())
    return page


def markdown(results: Results, images: list[str]) -> str:
    def section(title: str, *parts: str) -> str:
        return f"## {title}\n\n" + "\n".join(part for part in parts if part)

    def image(name: str) -> str:
        return f"![{ALTERNATIVES[name]}](images/{name}.svg)\n" if name in images else ""

    sections = [
        f"# Performance\n\n{_machine(results)}",
        section("What we are slower than", _slower(results)),
        section("Goals", _goals(results)),
        section("Check", image("performance-check"), tables.check_tables(results)),
        section(
            "Gateway", gateway_tables.gateway_table(results), gateway_tables.crossing_table(results),
            gateway_tables.crowd_facts(results)),
        section("Forward-auth, proxy by proxy", gateway_tables.recipes_table(results)),
        section(
            "Renewal", image("performance-renewals"), tables.renew_table(results), gateway_tables.inline_table(results),
            tables.store_table(results)),
        section(
            "PostgreSQL", postgres_tables.store_table(results), postgres_tables.renewals_table(results),
            postgres_tables.feed_table(results)),
        section("Login storm", tables.storm_table(results)),
        section("Scale", image("performance-scale"), tables.scale_table(results), tables.scale_facts(results)),
        section("What the browser pays", tables.client_tables(results)),
        section("Step by step", tables.micro_table(results)),
        section("Profile", PROFILE.read_text() if PROFILE.exists() else "<!-- profile -->\n"),
        section("How to repeat it", _repeat(results)),
        section("Method", (HERE / "method.md").read_text()),
        section("Versions", bullets([f"{name}: {version}" for name, version in results.versions.items()])),
    ]
    if without := tables.problems(results):
        sections.insert(3, section("Without a figure", bullets(without)))
    return "\n".join(sections)


def _machine(results: Results) -> str:
    settings = results.settings
    rounds = f"{settings.get('rounds')} round(s), {settings.get('seconds')} s for each figure"
    quick = " A quick run: it shows that everything works, and its figures do not count." if settings.get("quick") else ""
    facts = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    return f"Measured in one run, {rounds}: {facts}.{quick}\n"


def _slower(results: Results) -> str:
    found, unknown = slower(results), unmeasured(results)
    compared = (
        "Peers that do not read the token, or cache verified ones, are compared with our cache hit; peers that verify "
        "each time are compared with our first sight.\n") if results.of(CHECK) else ""
    said = bullets(found) if found else "Nothing of what was measured in this run.\n"
    untold = f"Goals of the table below without a figure in this run: {unknown}.\n" if unknown else ""
    return "\n".join(part for part in (compared, said, untold) if part)


def _goals(results: Results) -> str:
    rows = [[goal.text, goal.wanted, goal.measured, VERDICTS[goal.is_met]] for goal in goals(results)]
    return table(["goal", "wanted", "measured", "met"], rows)


def _repeat(results: Results) -> str:
    minutes = sum(results.seconds.values()) / 60
    return (
        "```sh\nScripts/bench\n```\n\n"
        f"It installs the peers, builds for release, and measures for about {minutes:.0f} min. "
        "[performance.json](performance.json) has every figure of every round. It needs Debian or Ubuntu, two cores without "
        "other load, and a disk without other load.\n")


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python -m harness.report RESULTS_JSON DOCS", file=sys.stderr)
        return 64
    print(write(Results.load(Path(sys.argv[1])), Path(sys.argv[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
