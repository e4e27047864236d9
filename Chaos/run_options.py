"""The arguments of Scripts/chaos."""
import argparse
import random

from faults import FAULTS, SHORT
from faults_base import MODES


def parse(arguments, description):
    parser = argparse.ArgumentParser(prog="Scripts/chaos", description=description)
    seed = random.SystemRandom().randrange(1 << 32)
    parser.add_argument("--seed", type=int, default=seed, help="a run with this seed chooses the same faults")
    parser.add_argument("--minutes", type=float, help="no fault begins after this time (30)")
    parser.add_argument("--operations", type=int, help="spread over this time (1,000,000)")
    parser.add_argument("--faults", type=lambda text: text.split(","), help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--async", dest="asynchronous", action="store_true", help="replicate asynchronously")
    parser.add_argument("--short", action="store_true", help=f"once each: {', '.join(SHORT)}")
    options = parser.parse_args(arguments)
    minutes, operations = (3, 30_000) if options.short else (30, 1_000_000)
    options.minutes = options.minutes or minutes
    options.operations = options.operations or operations
    options.mode = MODES[options.asynchronous]
    known = [name for name, fault in FAULTS.items() if options.mode in fault.modes]
    options.faults = options.faults or (list(SHORT) if options.short else known)
    if unknown := set(options.faults) - set(known):
        parser.error(f"no fault of a cluster in {options.mode} mode: {', '.join(sorted(unknown))}")
    return options
