"""How often thief and victim renewed since a theft, as far as it can be known from outside."""
THIEF, VICTIM = 0, 1
RENEWING = frozenset({"renew", "check", "session", "listed", "endOther", "endOthers", "stepUp", "changePassword"})


class Theft:
    """Each generation after the stolen one was made by one party, and perhaps sent again to the other (a crossing).

    An answer that was lost may have carried the next generation. Where the two parties cannot be told apart, this counts in
    favour of the server."""

    __slots__ = ("stolen", "since", "steps")

    def __init__(self, stolen, since):
        self.stolen = stolen
        self.since = since
        # For each presented generation: who got the next one, and who may have got it.
        self.steps = {}

    def add(self, operation):
        if operation["started"] < self.since or operation["op"] not in RENEWING or "held" not in operation:
            return
        party = THIEF if operation["role"] == "thief" else VICTIM
        got = "given" in operation
        if got or operation["outcome"] == "unknown" or operation.get("code") == "unavailable":
            step = self.steps.setdefault(operation["held"][0], ([False, False], [False, False]))
            step[0 if got else 1][party] = True

    def counts(self):
        """Rotations of the thief, of the victim, and crossings."""
        rotations, crossings = [0, 0], 0
        for got, may_have_got in self.steps.values():
            parties = [one or other for one, other in zip(got, may_have_got)]
            if all(parties):
                crossings += 1
            else:
                for party in (THIEF, VICTIM):
                    rotations[party] += got[party]
        return rotations[THIEF], rotations[VICTIM], crossings

    def start_again(self, at):
        """After a loss of history, counts from there; the loss counts as one crossing (docs/refresh.md)."""
        self.since = at
        self.steps = {-1: ([True, True], [False, False])}

    @property
    def is_shared(self):
        thief, victim, crossings = self.counts()
        return min(thief, victim) >= 2 and crossings < 2
