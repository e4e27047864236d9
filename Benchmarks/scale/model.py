"""What users do: an assumption, in one place. docs/scale.md has it as a table."""
import dataclasses
import math
import random

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclasses.dataclass(frozen=True)
class Region:
    name: str
    share: float                # of all users
    offset: int                 # hours ahead of UTC


@dataclasses.dataclass(frozen=True)
class Model:
    regions: tuple = (Region("Europe", 0.4, 1), Region("America", 0.35, -6), Region("Asia", 0.25, 8))
    sessions_of_user: float = 1.5
    visits_a_day: float = 3.0
    minutes_of_visit: float = 8.0       # the mean of an exponential distribution
    days_in_use: float = 20.0           # the mean time from a login to the last visit, also exponential
    ended_by_logout: float = 0.5        # the others are just left
    failed_logins: float = 0.2          # of the logins
    idle_days: int = 30                 # the settings idleLifetime and sessionLifetime, as shipped
    absolute_days: int = 90
    save_every: int = 60                # activity is saved once in this many seconds
    travellers: float = 0.02            # of the users are in another region than their sessions
    # Relative number of visits that begin in each hour of the local day.
    hours: tuple = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 8, 9, 9, 9, 9, 9, 10, 11, 12, 11, 8, 4)


@dataclasses.dataclass
class Life:
    """Means over sessions, in days: usable, in use, with a row, and the share of sessions that a user ends."""
    usable: float
    used: float
    row: float
    revoked: float

    @classmethod
    def sampled(cls, model, count, chance):
        sums = [0.0] * 4
        for _ in range(count):
            used = min(chance.expovariate(1 / model.days_in_use), model.absolute_days)
            if used < model.absolute_days and chance.random() < model.ended_by_logout:
                # The row of an ended session stays until it would have expired.
                values = (used, used, model.absolute_days + 1, 1)
            else:
                usable = min(used + model.idle_days, model.absolute_days)
                values = (usable, used, usable + 1, 0)
            sums = [total + value for total, value in zip(sums, values)]
        return cls(*(total / count for total in sums))


@dataclasses.dataclass
class Week:
    """What one session in use does, by the minute of a week: the number of events of all sampled sessions over their count."""
    lifetime: int
    renewals: list
    writes: list
    first_of_day: float = 0     # writes that are the first of a session's day, which are not HOT
    touched: float = 0          # different sessions with a write, in each quarter of an hour

    @property
    def minutes(self):
        return len(self.renewals)

    def a_second(self, events):
        return sum(events) / (self.minutes * MINUTE)

    def peak(self, events):
        """The busiest quarter of an hour, a second."""
        return max(sum(events[start:start + 15]) for start in range(0, self.minutes, 15)) / (15 * MINUTE)


def week(model, lifetime, count, chance):
    """Samples the visits of `count` sessions in a week."""
    minutes = 7 * DAY // MINUTE
    result = Week(lifetime, [0.0] * minutes, [0.0] * minutes)
    for number in range(count):
        region = region_of(model, (number + 0.5) / count)
        add_session(model, result, region, 1 / count, chance)
    return result


def region_of(model, place):
    for region in model.regions:
        place -= region.share
        if place < 0:
            return region
    return model.regions[-1]


def add_session(model, result, region, weight, chance):
    midnight, days, quarters = chance.random() * DAY, set(), set()
    last_renewal = -math.inf
    for start in visits(model, region, chance):
        for second, is_renewal in writes(model, result.lifetime, start, last_renewal, chance):
            minute = int(second // MINUTE) % result.minutes
            result.writes[minute] += weight
            days.add((second - midnight) // DAY)
            quarters.add(minute // 15)
            if is_renewal:
                result.renewals[minute] += weight
                last_renewal = second
    result.first_of_day += weight * len(days)
    result.touched += weight * len(quarters)


def visits(model, region, chance):
    """When the visits of a week begin, in seconds."""
    found = []
    for day in range(7):
        expected, at = chance.expovariate(model.visits_a_day), 0.0
        while expected < 1:
            expected += chance.expovariate(model.visits_a_day)
            hour = chance.choices(range(24), model.hours)[0] - region.offset
            found.append(day * DAY + hour % 24 * HOUR + chance.randrange(HOUR))
    return sorted(found)


def writes(model, lifetime, start, last_renewal, chance):
    """The writes of a visit: each renewal, its confirmation by the next request, and the activity that is saved in between."""
    end = start + chance.expovariate(1 / (model.minutes_of_visit * MINUTE))
    second, saved = start, -math.inf
    while second <= end:
        if second - last_renewal >= lifetime:
            yield second, True
            yield second, False
            last_renewal = saved = second
        elif second - saved >= model.save_every:
            yield second, False
            saved = second
        second = min(last_renewal + lifetime, saved + model.save_every)


def seeded(*name):
    """A stream of chance of its own for each part, so that a change of one does not move the others."""
    return random.Random(repr(name))
