"""Reads a history and names every violation of the rules in checker_rules.py. It asks no server anything.

    python3 Chaos/checker.py HISTORY [--lossy]

`--lossy`: replication was asynchronous, so a failover may lose what was acknowledged just before it or during the fault. Then
renewals may go back and be adopted, logins, logouts and password changes of that time may be lost, and thefts count from the
last loss. An honest user is still never logged out by an alarm, and no session has two refresh tokens of one generation.
"""
import argparse
import collections
import dataclasses
import math
import sys

import checker_rules
import history
from checker_facts import Faults, Session, Subject, is_acknowledged
from checker_outage import Outages


@dataclasses.dataclass
class World:
    """What holds for the whole run."""
    window: float
    lossy: bool
    faults: Faults


class Checker:
    def __init__(self, path, lossy):
        self.path = path
        # A writer keeps operations in a buffer, and faults it writes at once: their order in the file is not that of time.
        self.faults = Faults(history.read(path, "fault"))
        self.world = World(0, lossy, self.faults)
        self.sessions = {}
        self.subjects = {}
        self.events = []
        self.violations = []
        self.counts = collections.Counter()
        self.outages = Outages(self.faults)

    def check(self):
        handlers = {"run": self.begin, "operation": self.operation, "copy": self.copy, "event": self.events.append}
        for record in history.read(self.path):
            if handler := handlers.get(record["kind"]):
                handler(record)
        self.spread_ends()
        for session in self.sessions.values():
            self.apply(checker_rules.SESSION_RULES, session)
        for event in self.events:
            # The record has the sessions of all users of the server, also from before the run.
            if session := self.sessions.get(event["session"]):
                self.apply(checker_rules.EVENT_RULES, session, event)
        for subject in self.subjects.values():
            self.apply(checker_rules.SUBJECT_RULES, subject)
        return self.violations

    def apply(self, rules, *facts):
        for rule in rules:
            if sentence := rule(*facts, self.world):
                self.violations.append(f"{rule.__name__}: {sentence}")

    def session(self, id):
        if id not in self.sessions:
            self.sessions[id] = Session(id)
        return self.sessions[id]

    def begin(self, record):
        self.world.window = record["window"]

    def copy(self, record):
        self.counts["thefts"] += 1
        self.session(record["session"]).copy(record)

    def operation(self, operation):
        self.counts["operations"] += 1
        self.counts[operation["outcome"]] += 1
        self.outages.add(operation)
        session = self.session(operation["session"]) if "session" in operation else None
        if session and session.theft and self.world.lossy:
            self.forget_what_was_lost(session, operation)
        if subject := operation.get("subject") or operation.get("ends", {}).get("subject"):
            self.subject_operation(subject, operation, session)
        for id in operation.get("ends", {}).get("sessions", ()):
            self.session(id).end_by(operation)
        if session:
            session.add(operation, self.faults)
        self.apply(checker_rules.OPERATION_RULES, session, operation)
        if session and "given" in operation:
            generation, identity, text = operation["given"]
            session.tokens.setdefault(generation, (identity, text))

    def subject_operation(self, id, operation, session):
        if id not in self.subjects:
            self.subjects[id] = Subject(id)
        self.subjects[id].add(operation)
        if "held" not in operation and "given" in operation and is_acknowledged(operation):
            session.subject, session.begun = id, (operation["started"], operation["ended"])

    def forget_what_was_lost(self, session, operation):
        loss = self.faults.last_loss_before(operation["started"])
        if loss is not None and loss > session.theft.since:
            session.theft.start_again(loss)

    def spread_ends(self):
        """Ends of all sessions of a user, to each session: only now it is known which had begun before."""
        for session in self.sessions.values():
            subject = self.subjects.get(session.subject)
            for operation in subject.ends if subject else ():
                session.end_by_subject(operation)

    def report(self):
        """What is printed and not asserted."""
        yield ", ".join(f"{self.counts[key]} {key}" for key in ("operations", "acknowledged", "refused", "unknown", "unreachable"))
        alarms = sum(1 for session in self.sessions.values() if session.theft and session.alarm)
        used = sum(1 for session in self.sessions.values() if session.theft and session.robbed_from < math.inf)
        yield (f"{len(self.sessions)} sessions, {self.counts['thefts']} thefts, {used} sessions with a used copy, "
               f"{alarms} of them ended by the alarm")
        yield from self.outages.report()


def check(history_path, lossy=False):
    """The violations, each as `rule: sentence`."""
    return Checker(history_path, lossy).check()


def report(history_path, lossy=False):
    """The violations, and lines about the run."""
    checker = Checker(history_path, lossy)
    return checker.check(), list(checker.report())


def main():
    parser = argparse.ArgumentParser(description="Checks a history.")
    parser.add_argument("history")
    parser.add_argument("--lossy", action="store_true", help="replication was asynchronous")
    asked = parser.parse_args()
    violations, lines = report(asked.history, asked.lossy)
    print("\n".join(lines))
    print("\n".join(violations))
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
