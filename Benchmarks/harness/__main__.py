"""The whole run: `python -m harness --out DIR`."""
import argparse
import signal
import sys
import tempfile
from pathlib import Path

from . import (
    check, client_cost, gateway, inline, machine, micro, postgresql, recipes, renew, report, scale, software, storm)
from .bench import Bench
from .peers.material import make
from .progress import Progress
from .results import Results
from .rounds import BROKEN
from .tool import Missing

SCENARIOS = {
    module.SCENARIO: module
    for module in (check, gateway, recipes, renew, inline, postgresql, storm, scale, client_cost, micro)
}


def main() -> int:
    options = _options()
    # Stops the servers on every exit, also after a signal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cloakroom-bench-", dir=options.work) as directory:
        results = Results(
            out / "results.json",
            machine.facts(Path(directory)),
            software.versions(),
            {"rounds": options.rounds, "seconds": options.seconds, "quick": options.quick})
        _run(_bench(options, Path(directory), results), options.only)
    print(report.write(results, (options.docs or out).resolve()))
    return 0


def _bench(options: argparse.Namespace, work: Path, results: Results) -> Bench:
    peers = work / "peers"
    peers.mkdir()
    # Apache runs as another user, who needs access to the directory.
    work.chmod(0o711)
    bench = Bench(
        work, make(peers, Path(sys.prefix)), results, Progress(), machine.Cores.shared_out(),
        options.rounds, options.seconds, options.quick)
    bench.progress.plan({name: SCENARIOS[name].estimate(bench) for name in options.only})
    return bench


def _run(bench: Bench, chosen: list[str]) -> None:
    """Saves the results after each scenario. A failed scenario does not stop the others."""
    for name in chosen:
        bench.progress.begin(name)
        try:
            SCENARIOS[name].run(bench)
        except (Missing, *BROKEN) as reason:
            bench.progress.say(f"skipped: {reason}")
            bench.results.skipped.append(f"{name}: {reason}")
        bench.results.seconds[name] = bench.progress.end()
        bench.results.save()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("harness", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where results.json goes")
    parser.add_argument("--docs", type=Path, help="where performance.md and images/ go (default: beside results.json)")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="a directory on the disk to be measured")
    parser.add_argument("--rounds", type=int, help="default: 3, quick: 1")
    parser.add_argument("--seconds", type=int, help="of each measurement; default: 3, quick: 1")
    parser.add_argument("--only", default=",".join(SCENARIOS), help="scenarios, separated by commas (default: all)")
    parser.add_argument("--quick", action="store_true", help="small stores, short turns: to see that everything works")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if unknown := set(options.only) - set(SCENARIOS):
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    sys.exit(main())
