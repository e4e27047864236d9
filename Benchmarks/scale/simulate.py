#!/usr/bin/env python3
"""Prints what numbers of sessions up to a billion need, from Benchmarks/scale/measured.json and the assumptions of model.py.

    Benchmarks/scale/simulate.py > Benchmarks/scale/figures.txt"""
import argparse
import json
import math
import pathlib

from model import DAY, Life, Model, seeded, week

HERE = pathlib.Path(__file__).parent
SIZES = [10**6, 10**7, 10**8, 10**9]
LIFETIMES = [60, 300, 900]
PAGE, CHECKPOINT = 8192, 900
EVENT_DAYS = 90
CORES, SHARE_OF_CORE = 4, 0.5           # of an instance, and how busy its cores may be at the peak
# The connections that take renewals.
GROUP, CONNECTIONS = 256, 2
# Round trips in milliseconds. Inside of a region: to a database in another building.
INSIDE = 1
BETWEEN = {("Europe", "America"): 90, ("Europe", "Asia"): 180, ("America", "Asia"): 150}


def table(title, head, rows):
    """A title and a table of text, without an empty line, so that the documents can include it by its title."""
    cells = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))) for row in cells]
    return "\n".join([title, *(line.rstrip() for line in lines)]) + "\n"


def count(number):
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:.2g}" if number < 10 else f"{number:.0f}"


def size(number):
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:.0f} B"


class Figures:
    def __init__(self, measured, model, sample):
        self.measured, self.model = measured, model
        self.life = Life.sampled(model, sample * 10, seeded("life"))
        self.weeks = {lifetime: week(model, lifetime, sample, seeded("week")) for lifetime in LIFETIMES}

    def in_use(self, sessions):
        return sessions * self.life.used / self.life.usable

    def begun(self, sessions):
        """Sessions that begin in a second, as many as end."""
        return sessions / (self.life.usable * DAY)

    def rows(self, sessions):
        """Rows of each table."""
        begun_a_day = self.begun(sessions) * DAY
        # A login, half of the ends, and failures; a month of events is dropped as a whole.
        events = begun_a_day * (1 + self.life.revoked + self.model.failed_logins) * (EVENT_DAYS + 15)
        users = sessions / self.model.sessions_of_user
        return {
            "sessions": sessions * self.life.row / self.life.usable, "accounts": users, "subjects": users, "known_networks": users * 2,
            "revocations": begun_a_day * self.life.revoked * (1 + 300 / DAY), "events": events}

    def bytes(self, name, rows):
        """Bytes of a table and of its indexes."""
        sizes = dict(self.measured["bytes_a_row"][name])
        return rows * sizes.pop("table"), rows * sum(sizes.values())

    # The tables.

    def session(self):
        measured, written = self.measured, self.measured["renewals"]
        sizes, after = measured["bytes_a_row"]["sessions"], measured["sessions_after_renewals"]
        rows = [
            ["row of a session, bytes", sizes["table"]], ["its entries in all indexes, bytes", round(sum(sizes.values()) - sizes["table"], 1)],
            ["both after the renewals, bytes", round(sum(after.values()), 1)], ["renewals that are HOT, %", written["hot_percent"]],
            ["WAL of one, bytes", written["wal_bytes"]], ["the first of a session's day: HOT, %", written["first_of_day"]["hot_percent"]],
            ["the first of a session's day: WAL, bytes", written["first_of_day"]["wal_bytes"]],
            ["the first of a page after a checkpoint: more WAL, bytes", written["page_image_bytes"]],
            ["processor of an instance for a renewal over HTTP, us", measured["processor"]["server_us"]],
            ["processor of the database for it, us", measured["processor"]["database_us"]],
            ["memory of an entry of the feed, bytes", measured["feed"]["bytes"]]]
        title = f"Measured with {measured['sessions']:,} sessions and {written['updates']:,} renewals of random ones"
        return table(title, ["cost", "measured"], rows)

    def storage(self):
        rows = []
        for sessions in SIZES:
            counts = self.rows(sessions)
            sums = {name: self.bytes(name, number) for name, number in counts.items()}
            whole = sum(map(sum, sums.values()))
            rows.append([
                count(sessions), count(counts["sessions"]), size(sums["sessions"][0]), size(sums["sessions"][1]), count(counts["events"]),
                size(sum(sums["events"])), size(whole)])
        head = ["usable sessions", "rows of sessions", "table", "indexes", "events", "with indexes", "database"]
        return table("Rows and bytes of one database", head, rows)

    def traffic(self):
        rows = []
        for sessions in SIZES:
            for lifetime in LIFETIMES:
                rows.append(self.traffic_of(sessions, lifetime))
        head = ["usable sessions", "token, s", "renewals/s", "peak", "writes/s at the peak", "HOT", "WAL/s", "with page images", "instances", "database cores"]
        return table("Renewals, writes and processors", head, rows)

    def traffic_of(self, sessions, lifetime):
        week, used = self.weeks[lifetime], self.in_use(sessions)
        renewals, peak = used * week.a_second(week.renewals), used * week.peak(week.renewals)
        writes, peak_writes = used * week.a_second(week.writes), used * week.peak(week.writes)
        cold = week.first_of_day / sum(week.writes)
        warm = self.measured["renewals"]["hot_percent"] / 100 * (1 - cold)
        wal = writes * (warm * self.measured["renewals"]["wal_bytes"] + (1 - warm) * self.measured["renewals"]["first_of_day"]["wal_bytes"])
        images = self.images(sessions, week) * self.measured["renewals"]["page_image_bytes"]
        cost = self.measured["processor"]
        return [
            count(sessions), lifetime, count(renewals), count(peak), count(peak_writes), f"{100 * warm:.1f} %", size(wal), size(wal + images),
            max(2, math.ceil(peak * cost["server_us"] / 1e6 / (CORES * SHARE_OF_CORE))),
            f"{max(0.01, peak_writes * cost['database_us'] / 1e6):.2g}"]

    def images(self, sessions, week):
        """Images of pages in a second: each page that is written for the first time after a checkpoint."""
        pages = self.bytes("sessions", self.rows(sessions)["sessions"])[0] / PAGE
        touched = self.in_use(sessions) * week.touched / (7 * DAY / CHECKPOINT)
        return pages * (1 - math.exp(-touched / pages)) / CHECKPOINT

    def feed(self):
        entry = self.measured["feed"]["bytes"]
        rows = []
        for sessions in SIZES:
            revoked = self.begun(sessions) * self.life.revoked
            stored, held = revoked * DAY, revoked * 360
            rows.append([count(sessions), count(revoked), count(stored), size(sum(self.bytes("revocations", stored))), count(held), size(held * entry), size(stored * entry)])
        head = ["usable sessions", "ends/s", "rows of the feed", "bytes", "entries in memory", "bytes", "bytes after a start"]
        return table("The feed of revocations, tokens of 300 s", head, rows)

    def waits(self):
        trips = self.measured["round_trips"]
        rows = [[name, number, *(f"{number * time:g} ms" for time in (INSIDE, *BETWEEN.values()))] for name, number in trips.items()]
        head = ["request", "round trips", "in the region", *("-".join(pair) for pair in BETWEEN)]
        return table("Waits for the database, by the distance between instance and primary", head, rows)

    def limits(self):
        rows = []
        for time in (INSIDE, 10, *sorted(BETWEEN.values())):
            renewals = CONNECTIONS * GROUP / (self.measured["round_trips"]["renewal"] * time / 1000)
            of_processor = CORES * 1e6 / self.measured["processor"]["server_us"]
            rows.append([f"{time} ms", count(1000 / time), count(min(renewals, of_processor))])
        return table("Most that one instance can do, by the round trip to the primary", ["round trip", "logins/s", "renewals/s"], rows)

    def regions(self):
        """Waits of a renewal for the network, over users at home and travellers."""
        rows = []
        for name, wait in PLACES.items():
            chance = seeded("regions")
            waits = sorted(self.wait(wait, chance) for _ in range(20_000))
            home = sorted(self.wait(wait, chance, travels=False) for _ in range(20_000))
            moved = sorted(self.wait(wait, chance, travels=True) for _ in range(20_000))
            rows.append([name, *(f"{numbers[int(len(numbers) * part)]:.0f} ms" for numbers, part in ((waits, 0.5), (waits, 0.99), (home, 0.5), (moved, 0.5)))])
        head = ["deployment", "p50", "p99", "p50 at home", "p50 of travellers"]
        return table("Waits of a renewal for the network", head, rows)

    def wait(self, wait, chance, travels=None):
        regions = [region.name for region in self.model.regions]
        home = chance.choices(regions, [region.share for region in self.model.regions])[0]
        if travels is None:
            travels = chance.random() < self.model.travellers
        here = chance.choice([name for name in regions if name != home]) if travels else home
        # Jitter of long links.
        return wait(self, home, here) * chance.lognormvariate(0, 0.15)


def trip(one, other):
    return INSIDE if one == other else BETWEEN.get((one, other)) or BETWEEN[(other, one)]


def remote(figures, instance, primary):
    return figures.measured["round_trips"]["renewal"] * trip(instance, primary)


LAST_MILE = 20
PLACES = {
    "one region (Europe) with all": lambda figures, home, here: LAST_MILE + trip(here, "Europe") + remote(figures, "Europe", "Europe"),
    "instances everywhere, primary in Europe": lambda figures, home, here: LAST_MILE + remote(figures, here, "Europe"),
    "a deployment a region, the browser goes home": lambda figures, home, here: LAST_MILE + trip(here, home) + remote(figures, home, home),
    "a primary a region, the instance goes home": lambda figures, home, here: LAST_MILE + remote(figures, here, home),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=4000, help="sessions that are simulated; the figures are scaled")
    options = parser.parse_args()
    figures = Figures(json.loads((HERE / "measured.json").read_text()), Model(), options.sample)
    print("\n".join([figures.session(), figures.storage(), figures.traffic(), figures.feed(), figures.waits(), figures.limits(), figures.regions()]), end="")


if __name__ == "__main__":
    main()
