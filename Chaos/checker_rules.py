"""The rules. Each is a function that returns a sentence for a violation, or None. `check` puts the function's name before it."""
import math

from checker_facts import FINAL, is_acknowledged

REVOCATION_BOUND = 1.0
# A server may count a window from a moment within the request that opened it, by a clock that runs a little slower.
SLACK = 0.5
ALWAYS_POSSIBLE = FINAL | {"unavailable", "rate_limited"}
POSSIBLE = {
    "login": {"invalid_credentials"}, "changePassword": {"invalid_credentials"}, "stepUp": {"invalid_credentials"},
    "endOther": {"not_found"}, "signup": {"account_exists"}}


def name(operation):
    """Names an operation so that it can be found in the history."""
    instance = f" at instance {operation['instance']}" if "instance" in operation else ""
    generation = f" with generation {operation['held'][0]}" if "held" in operation else ""
    return f"{operation['op']} of {operation['client']}{generation}{instance} at {operation['started']:.3f}"


# Rules of one operation, in the light of what came before it.

def one_live_successor(session, operation, world):
    """Renewing generation g always yields the same refresh token g + 1. The `jti` is its identity."""
    if "given" not in operation:
        return None
    generation, identity, _ = operation["given"]
    known = session.tokens.get(generation)
    if known and known[0] != identity:
        return f"session {session.id} has two refresh tokens of generation {generation}; the second came by {name(operation)}"
    return None


def newer_or_nothing(session, operation, world):
    """An answer carries exactly the generation after the one that was presented, or none."""
    if "given" not in operation:
        return None
    wanted = operation["held"][0] + 1 if "held" in operation else 0
    if operation["given"][0] != wanted:
        return f"session {session.id}: {name(operation)} was given generation {operation['given'][0]}"
    return None


def no_renewal_is_lost(session, operation, world):
    """The same generation always has the same bytes, because its times are in the row. Other bytes: the row went back."""
    if "given" not in operation:
        return None
    generation, identity, text = operation["given"]
    known = session.tokens.get(generation)
    if known and known[0] == identity and known[1] != text and not world.lossy:
        return f"session {session.id} was renewed to generation {generation} a second time, by {name(operation)}: the first renewal is lost"
    return None


def every_theft_is_found(session, operation, world):
    """A generation is spent when a later one was confirmed and the window is over: presenting it must end the session."""
    if operation["op"] != "renew" or not is_acknowledged(operation) or operation["held"][0] >= session.newest:
        return None
    presented, started = operation["held"][0], operation["started"]
    for generation, (began, confirmed) in session.proofs.items():
        closed = confirmed + world.window + SLACK
        if generation <= presented or started < closed:
            continue
        # A step-up inside the window keeps all its generations alive for another one.
        if any(start < closed and began < end for start, end in session.raises):
            continue
        # A lossy failover makes older tokens current.
        if world.lossy and world.faults.between(began, started):
            continue
        return (f"session {session.id}: {name(operation)} was accepted although generation {generation} was confirmed "
                f"{started - confirmed:.1f} s before")
    return None


def only_503_with_retry_after(session, operation, world):
    status = operation.get("status", 0)
    if status < 500 or operation["via"] == "proxy" or status == 503 and "retryAfter" in operation:
        return None
    return f"{name(operation)} was answered {status}" + (" without Retry-After" if status == 503 else "")


def every_refusal_is_in_the_contract(session, operation, world):
    code = operation.get("code")
    if code is None or operation["status"] >= 500 or code in ALWAYS_POSSIBLE or code in POSSIBLE.get(operation["op"], ()):
        return None
    return f"{name(operation)} was refused with {code}"


# Rules of a whole session.

def revoked_within_a_second(session, world):
    """No reader accepts a session in a request that started more than a second after its end was acknowledged."""
    end = first_end(session)
    if end is None or session.accepted is None:
        return None
    late = session.accepted["started"] - end["ended"]
    if late <= REVOCATION_BOUND or world.lossy and world.faults.may_lose(end["ended"]):
        return None
    return f"session {session.id} was accepted by {name(session.accepted)}, {late:.3f} s after {name(end)} had ended it"


def no_end_is_lost(session, world):
    """The row decides about a renewal. From the acknowledgement on it refuses."""
    end = first_end(session)
    if end is None or session.row_accepted is None or session.row_accepted["started"] <= end["ended"]:
        return None
    if world.lossy and world.faults.may_lose(end["ended"]):
        return None
    return f"session {session.id} was alive for {name(session.row_accepted)}, after {name(end)} had ended it"


def first_end(session):
    ends = [end for end in (session.ended, session.alarm) if end]
    return min(ends, key=lambda end: end["ended"], default=None)


def no_login_is_lost(session, world):
    if is_refused_for_no_reason(session) and session.begun and not session.was_accepted:
        if world.lossy and world.faults.may_lose(session.begun[1]):
            return None
        return f"session {session.id} was refused ({session.refused['code']}) from its begin on, by {name(session.refused)}"
    return None


def no_honest_logout(session, world):
    """An honest session ends by an acknowledged or attempted end, or after a thief used a copy: never by itself, never by an alarm."""
    if session.alarm and session.alarm["ended"] < session.robbed_from:
        return f"session {session.id} of an honest user ended as reused, by {name(session.alarm)}"
    if not is_refused_for_no_reason(session) or session.begun and not session.was_accepted:
        return None
    if world.lossy and session.begun and world.faults.may_lose(session.begun[1]):
        return None
    return f"session {session.id} was refused ({session.refused['code']}) for no reason of its own, by {name(session.refused)}"


def is_refused_for_no_reason(session):
    return session.refused is not None and session.refused["ended"] < min(session.end_from, session.robbed_from)


def no_session_is_shared_with_a_thief(session, world):
    """Thief and victim never both renew twice, unless one presented s - 1 while s was pending, each time."""
    if session.theft and session.theft.is_shared:
        thief, victim, crossings = session.theft.counts()
        return f"session {session.id}: since the theft the thief renewed {thief} and the victim {victim} times, with {crossings} crossings"
    return None


# Rules of the server's record of events.

def no_alarm_without_a_thief(session, event, world):
    if event["event"] == "refresh_token_reused" and session.robbed_from == math.inf:
        return f"session {session.id} of an honest user ended as reused at {event['time']}, as the record of events says"
    return None


def no_history_is_lost(session, event, world):
    if event["event"] == "adoption" and not world.lossy:
        return f"session {session.id} went back and was adopted at {event['time']}: an acknowledged renewal is lost"
    return None


# The rule of a user with a password.

def passwords_are_in_force(subject, world):
    """A changed password is accepted from the acknowledgement on, and the one before it is not."""
    if world.lossy and any(world.faults.may_lose(operation["ended"]) for _, operation in subject.changes):
        return None
    for use in subject.uses:
        number = use["password"]
        if is_acknowledged(use) and not may_be_in_force(subject, number, use):
            return f"user {subject.id}: {name(use)} was accepted with password {number}, which had been replaced"
        if use.get("code") == "invalid_credentials" and must_be_in_force(subject, number, use):
            return f"user {subject.id}: {name(use)} was refused with password {number}, which is in force: its change is lost"
    return None


def may_be_in_force(subject, number, use):
    sets = [change for wanted, change in subject.changes if wanted == number]
    if not sets or use["ended"] < sets[0]["started"]:
        return False
    replaced = [
        change["ended"] for wanted, change in subject.changes
        if wanted != number and is_acknowledged(change) and change["started"] >= sets[0]["ended"]]
    return use["started"] <= min(replaced, default=math.inf)


def must_be_in_force(subject, number, use):
    sets = [change for wanted, change in subject.changes if wanted == number and is_acknowledged(change)]
    if not sets or use["started"] < sets[0]["ended"]:
        return False
    # A change that was tried, whatever came of it, makes the password before it uncertain.
    tried = [
        change["started"] for wanted, change in subject.changes if wanted != number and change["ended"] > sets[0]["started"]]
    return use["ended"] < min(tried, default=math.inf)


OPERATION_RULES = (
    one_live_successor, newer_or_nothing, no_renewal_is_lost, every_theft_is_found, only_503_with_retry_after,
    every_refusal_is_in_the_contract)
SESSION_RULES = (
    revoked_within_a_second, no_end_is_lost, no_login_is_lost, no_honest_logout, no_session_is_shared_with_a_thief)
EVENT_RULES = (no_alarm_without_a_thief, no_history_is_lost)
SUBJECT_RULES = (passwords_are_in_force,)
