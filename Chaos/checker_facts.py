"""What the rules need to know of each session and each user: a few numbers, so that a million operations fit into memory."""
import math

from checker_theft import Theft

# Answers that mean: this session is over, or never was.
FINAL = frozenset({
    "session_revoked", "session_expired", "refresh_token_reused", "unauthenticated", "token_invalid", "token_expired",
    "session_missing"})
# The row of the session decides these. An access token and the view of revocations decide all others.
DECIDED_BY_THE_ROW = frozenset({"renew", "stepUp", "changePassword"})
ACCEPTING = DECIDED_BY_THE_ROW | {"check", "bearer", "session", "listed", "endOther", "endOthers"}
RAISING = frozenset({"stepUp", "changePassword"})


def is_acknowledged(operation):
    return operation["outcome"] == "acknowledged"


def may_have_happened(operation):
    """Also 503: a commit whose acknowledgement was lost may have taken effect."""
    return operation["outcome"] in ("acknowledged", "unknown") or operation.get("code") == "unavailable"


def is_final(operation):
    """Whether the session itself was refused. A bearer token that has expired says nothing about its session."""
    code = operation.get("code")
    if operation["op"] == "bearer" and code in ("token_expired", "token_invalid"):
        return code == "token_invalid"
    return code in FINAL


class Session:
    __slots__ = (
        "id", "subject", "begun", "was_accepted", "ended", "end_from", "alarm", "refused", "row_accepted", "accepted", "robbed_from",
        "tokens", "proofs", "newest", "raises", "theft")

    def __init__(self, id):
        self.id = id
        self.subject = None
        # (started, ended) of the login.
        self.begun = None
        self.was_accepted = False
        # The acknowledged end that was acknowledged first, and when the first possible end started.
        self.ended = None
        self.end_from = math.inf
        # The first refusal as a reuse, and the first final refusal of the honest user.
        self.alarm = self.refused = None
        # The acceptance that started last: by the row, and by any reader.
        self.row_accepted = self.accepted = None
        # When a thief first used a copy.
        self.robbed_from = math.inf
        # Each generation's digests, and the operation that shows that it was confirmed.
        self.tokens = {}
        self.proofs = {}
        self.newest = -1
        self.raises = []
        self.theft = None

    def copy(self, record):
        self.theft = self.theft or Theft(record["generation"], record["at"])

    def add(self, operation, faults):
        if operation["role"] == "thief" and operation["op"] != "bearer":
            self.robbed_from = min(self.robbed_from, operation["started"])
        if operation["op"] in RAISING and may_have_happened(operation):
            self.raises.append((operation["started"], operation["ended"]))
        if is_acknowledged(operation):
            self._accept(operation)
        elif is_final(operation):
            self._refuse(operation)
        if self.theft:
            self.theft.add(operation)

    def _accept(self, operation):
        op = operation["op"]
        if "given" in operation:
            self.newest = max(self.newest, operation["given"][0])
        if op not in ACCEPTING:
            return
        self.was_accepted = True
        self.accepted = later(self.accepted, operation)
        if op in DECIDED_BY_THE_ROW:
            self.row_accepted = later(self.row_accepted, operation)
            generation = operation["held"][0]
            self.newest = max(self.newest, generation)
            if generation not in self.proofs:
                self.proofs[generation] = (operation["started"], operation["ended"])

    def _refuse(self, operation):
        if operation["code"] == "refresh_token_reused":
            self.alarm = earlier(self.alarm, operation)
            # Only a living row can raise the alarm.
            self.row_accepted = later(self.row_accepted, operation)
        if operation["role"] == "honest":
            self.refused = earlier(self.refused, operation)

    def end_by(self, operation):
        """An operation that names this session."""
        if may_have_happened(operation):
            self.end_from = min(self.end_from, operation["started"])
        if is_acknowledged(operation):
            self.ended = earlier(self.ended, operation)

    def end_by_subject(self, operation):
        """An operation that ends all sessions of the user but one. One that began meanwhile may end with them."""
        if operation["ends"].get("except") == self.id or self.begun is None:
            return
        ended = operation["ended"] if is_acknowledged(operation) else math.inf
        if may_have_happened(operation) and ended > self.begun[0]:
            self.end_from = min(self.end_from, operation["started"])
        if is_acknowledged(operation) and self.begun[1] <= operation["started"]:
            self.ended = earlier(self.ended, operation)


def earlier(one, other):
    return other if one is None or other["ended"] < one["ended"] else one


def later(one, other):
    return other if one is None or other["started"] > one["started"] else one


class Subject:
    """What happened to a user as a whole: ends of all sessions, and passwords."""

    def __init__(self, id):
        self.id = id
        self.ends = []
        self.changes = []
        self.uses = []

    def add(self, operation):
        if "subject" in operation.get("ends", ()):
            self.ends.append(operation)
        if operation["op"] == "signup" and is_acknowledged(operation):
            self.changes.append((0, operation))
        if "newPassword" in operation and may_have_happened(operation):
            self.changes.append((operation["newPassword"], operation))
        if "password" in operation:
            self.uses.append(operation)


class Faults:
    """When faults were in force, by name."""

    # An asynchronous standby lags behind by this much at most when the fault begins. A primary that wakes up at its end may
    # acknowledge more before it is deposed.
    LAG = 5
    WAKING = 15

    def __init__(self, records):
        self.spans = []
        begun = {}
        for record in records:
            if record["phase"] == "begin":
                begun[record["name"]] = record["at"]
            else:
                self.spans.append((record["name"], begun.pop(record["name"]), record["at"]))
        self.spans += [(name, at, math.inf) for name, at in begun.items()]

    def between(self, start, end, name=""):
        return any(fault.startswith(name) and began <= end and start <= ended for fault, began, ended in self.spans)

    def may_lose(self, at):
        """Whether a lossy failover may lose what was acknowledged at this time."""
        return any(began - self.LAG <= at <= ended + self.WAKING for _, began, ended in self.spans)

    def last_loss_before(self, at):
        return max((ended for _, began, ended in self.spans if began <= at), default=None)
