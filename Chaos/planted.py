"""Violations planted into a recorded history. Each function changes the records of a real run in one place, as a broken server
would have made them, and is named by the rule that must find it in `PLANTED`.

Whether a record suits a function does not depend on what is recorded after it, except for a theft of the same session. So a run that has
a place for all of them at some moment has one at its end."""
import copy
import json
import math

import checker_rules
import history
from checker_facts import is_acknowledged


class Recorded:
    """The records of a run, to be searched and changed."""

    def __init__(self, records):
        self.records = records
        self.robbed = {record["session"] for record in self.records if record["kind"] == "copy"}
        self.ended = {}
        for operation in self.operations(outcome="acknowledged"):
            for session in operation.get("ends", {}).get("sessions", ()):
                self.ended.setdefault(session, operation)

        self.subjects = {
            operation["session"]: operation["subject"] for operation in self.operations() if {"session", "subject"} <= operation.keys()}
        # When something first tried to end a session, and when something tried to end all sessions of a user.
        self.tried, self.tried_together = {}, {}
        for operation in self.operations():
            ends, started = operation.get("ends", {}), operation["started"]
            for session in ends.get("sessions", ()):
                self.tried[session] = min(started, self.tried.get(session, math.inf))
            if "subject" in ends:
                self.tried_together.setdefault(ends["subject"], []).append((started, ends.get("except")))

    @classmethod
    def read(cls, path):
        return cls(list(history.read(path)))

    def operations(self, **fields):
        return [
            record for record in self.records
            if record["kind"] == "operation" and all(record.get(key) == value for key, value in fields.items())]

    def copy(self):
        """Changes replace the fields of a record, so a shallow copy of each is enough."""
        return Recorded([dict(record) for record in self.records])

    def save(self, path):
        path.write_text("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in self.records))
        return path

    def honest_renewal(self, rotated=True):
        """A renewal by an honest user, of a session that no thief has copied. One that brings nothing is not the session's first."""
        known = set()
        for operation in self.operations(op="renew", role="honest", outcome="acknowledged"):
            session = operation["session"]
            is_wanted = "given" in operation if rotated else "given" not in operation and session in known
            if is_wanted and session not in self.robbed and self.is_plain(operation):
                return operation
            known.add(session)
        raise LookupError("no renewal of an honest user")

    def is_plain(self, operation):
        """Whether nothing had tried to end its session by the end of this operation."""
        session, ended = operation["session"], operation["ended"]
        return self.tried.get(session, math.inf) > ended and all(
            kept == session or started > ended
            for started, kept in self.tried_together.get(self.subjects.get(session), ()))

    def refuse(self, operation, code):
        operation |= {"outcome": "refused", "code": code, "status": 401}
        operation.pop("given", None)

    def accept(self, operation):
        operation |= {"outcome": "acknowledged", "status": 200}
        operation.pop("code", None)

    def forget_later(self, operation):
        """Removes what was recorded of the session after this operation. What ended other sessions stays, as by somebody else."""
        position = self.records.index(operation)
        self.records, later = self.records[:position + 1], self.records[position + 1:]
        for record in later:
            if record.get("session") != operation["session"]:
                self.records.append(record)
            elif "ends" in record and record["op"] != "logout":
                self.records.append({key: value for key, value in record.items() if key not in ("session", "held", "given")})

    def refused_reader(self, op):
        """A reader's request after an acknowledged logout, and that logout."""
        for operation in self.operations(op=op, role="reader", code="session_revoked"):
            end = self.ended.get(operation["session"])
            if end and end["op"] == "logout" and operation["session"] not in self.robbed:
                return operation, end
        raise LookupError(f"no {op} of a session that was logged out")


def first(found):
    for one in found:
        return one
    raise LookupError("the run has nothing of this kind")


def a_second_successor(recorded):
    """A generation is made twice, with different secrets."""
    renewal = recorded.honest_renewal()
    other = copy.deepcopy(renewal)
    other["given"][1] = "another"
    recorded.records.insert(recorded.records.index(renewal) + 1, other)


def the_presented_generation_again(recorded):
    renewal = recorded.honest_renewal(rotated=False)
    renewal["given"] = renewal["held"]


def other_bytes_of_a_generation(recorded):
    """The row lost the renewal, and the retry was renewed anew."""
    renewal = recorded.honest_renewal()
    other = copy.deepcopy(renewal)
    other["given"][2] = "another"
    recorded.records.insert(recorded.records.index(renewal) + 1, other)


def an_adoption(recorded):
    session = recorded.honest_renewal()["session"]
    recorded.records.append({"kind": "event", "event": "adoption", "session": session, "time": "2026-01-01T00:00:00Z"})


def an_acceptance_a_second_after_a_logout(recorded):
    bearer, end = recorded.refused_reader("bearer")
    bearer |= {"started": end["ended"] + 1.2, "ended": end["ended"] + 1.21}
    recorded.accept(bearer)


def a_lost_logout(recorded):
    renewal, end = recorded.refused_reader("renew")
    renewal |= {"started": end["ended"] + 0.1, "ended": end["ended"] + 0.11}
    recorded.accept(renewal)


def an_alarm_for_an_honest_user(recorded):
    renewal = recorded.honest_renewal(rotated=False)
    recorded.refuse(renewal, "refresh_token_reused")
    recorded.forget_later(renewal)


def an_alarm_whose_answer_was_lost(recorded):
    session = recorded.honest_renewal()["session"]
    recorded.records.append({"kind": "event", "event": "refresh_token_reused", "session": session, "time": "2026-01-01T00:00:00Z"})


def a_session_that_is_gone(recorded):
    renewal = recorded.honest_renewal(rotated=False)
    recorded.refuse(renewal, "session_revoked")
    recorded.forget_later(renewal)


def a_page_without_a_session(recorded):
    """One refusal among acceptances, as from an instance that does not know the session."""
    look = first(
        operation for operation in recorded.operations(op="session", role="honest", outcome="acknowledged")
        if operation["session"] not in recorded.robbed and recorded.is_plain(operation)
        and recorded.operations(op="renew", session=operation["session"], outcome="acknowledged"))
    recorded.refuse(look, "unauthenticated")


def a_lost_login(recorded):
    begin, renewal = first(
        (operation, renewal) for operation in recorded.operations(op="begin", outcome="acknowledged")
        if operation["session"] not in recorded.robbed
        for renewal in recorded.operations(op="renew", session=operation["session"], role="honest", outcome="acknowledged")[:1]
        if recorded.is_plain(renewal))
    recorded.forget_later(begin)
    recorded.refuse(renewal, "token_invalid")
    recorded.records.append(renewal)


def a_thief_who_is_not_found(recorded):
    """The alarm is not raised, and the spent token is accepted."""
    newest = {}
    for operation in recorded.operations(op="renew"):
        session = operation["session"]
        if operation["role"] == "thief" and operation.get("code") == "refresh_token_reused":
            confirmed = newest.get(session, {})
            window = next(record["window"] for record in recorded.records if record["kind"] == "run")
            spent = any(
                generation > operation["held"][0] and operation["started"] > ended + window + 1
                for generation, ended in confirmed.items())
            raised = any(
                other["started"] < operation["ended"]
                for op in ("changePassword", "stepUp") for other in recorded.operations(op=op, session=session))
            if spent and not raised:
                recorded.accept(operation)
                return recorded.forget_later(operation)
        if is_acknowledged(operation):
            newest.setdefault(session, {}).setdefault(operation["held"][0], operation["ended"])
    raise LookupError("no thief was found after a window")


def a_thief_who_shares_the_session(recorded):
    """Each renews twice, and neither presents what the other has used. The session is one that the run did not have: sessions of
    which a thief has a copy are few, and end soon."""
    theft = first(record for record in recorded.records if record["kind"] == "copy") | {"session": "shared"}
    session, start = theft["session"], theft["at"] + 0.01
    recorded.records.append(theft)
    for step, role in enumerate(["thief", "thief", "honest", "honest"]):
        generation = theft["generation"] + step
        recorded.records.append({
            "kind": "operation", "op": "renew", "client": role, "role": role, "session": session, "outcome": "acknowledged",
            "status": 200, "via": "public", "started": start + step, "sent": start + step, "ended": start + step + 0.01,
            "held": identity(generation), "given": identity(generation + 1)})


def identity(generation):
    return [generation, f"i{generation}", f"b{generation}"]


def a_password_change_that_is_lost(recorded):
    login, _ = login_after_a_change(recorded)
    recorded.forget_later(login)
    recorded.refuse(login, "invalid_credentials")
    del login["session"]


def an_old_password_that_is_accepted(recorded):
    login, change = login_after_a_change(recorded)
    login["password"] = change["password"]


def login_after_a_change(recorded):
    """A login with the password of an acknowledged change, before the next change was tried."""
    for change in reversed(recorded.operations(op="changePassword", outcome="acknowledged")):
        later = [
            other["started"] for other in recorded.operations(op="changePassword", subject=change["subject"])
            if other["started"] > change["started"]]
        for login in reversed(recorded.operations(op="login", outcome="acknowledged", subject=change["subject"])):
            is_in_time = change["ended"] < login["started"] and login["ended"] < min(later, default=math.inf)
            if is_in_time and login["password"] == change["newPassword"] and "ends" not in login:
                return login, change
    raise LookupError("no login after a change of the password")


# The workload changes each password at its end. Before it, a run may have nothing for these.
NEED_THE_END = (a_password_change_that_is_lost, an_old_password_that_is_accepted)


def an_internal_error(recorded):
    renewal = recorded.honest_renewal(rotated=False)
    renewal |= {"outcome": "refused", "code": "500", "status": 500}


def unavailable_without_a_time(recorded):
    renewal = recorded.honest_renewal(rotated=False)
    renewal |= {"outcome": "refused", "code": "unavailable", "status": 503}


def a_refusal_of_another_kind(recorded):
    recorded.refuse(recorded.honest_renewal(rotated=False), "cross_site_request")


PLANTED = {
    a_second_successor: checker_rules.one_live_successor,
    the_presented_generation_again: checker_rules.newer_or_nothing,
    other_bytes_of_a_generation: checker_rules.no_renewal_is_lost,
    an_adoption: checker_rules.no_history_is_lost,
    an_acceptance_a_second_after_a_logout: checker_rules.revoked_within_a_second,
    a_lost_logout: checker_rules.no_end_is_lost,
    an_alarm_for_an_honest_user: checker_rules.no_honest_logout,
    an_alarm_whose_answer_was_lost: checker_rules.no_alarm_without_a_thief,
    a_session_that_is_gone: checker_rules.no_honest_logout,
    a_page_without_a_session: checker_rules.no_honest_logout,
    a_lost_login: checker_rules.no_login_is_lost,
    a_thief_who_is_not_found: checker_rules.every_theft_is_found,
    a_thief_who_shares_the_session: checker_rules.no_session_is_shared_with_a_thief,
    a_password_change_that_is_lost: checker_rules.passwords_are_in_force,
    an_old_password_that_is_accepted: checker_rules.passwords_are_in_force,
    an_internal_error: checker_rules.only_503_with_retry_after,
    unavailable_without_a_time: checker_rules.only_503_with_retry_after,
    a_refusal_of_another_kind: checker_rules.every_refusal_is_in_the_contract,
}
