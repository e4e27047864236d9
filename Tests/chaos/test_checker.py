"""The checker of the fault test: it is silent about a run of a real server, and finds what is planted into it."""
import pytest

import checker
import planted
import planted_proxy
from conftest import DONE, done
from planted import Recorded


@pytest.fixture(scope="module")
def recorded(runs):
    return Recorded.read(runs["sqlite"].history())


def rules(violations):
    return {violation.split(": ")[0] for violation in violations}


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_run_without_faults_violates_no_rule(runs, store):
    assert runs[store].violations() == []


def test_the_run_has_all_that_the_rules_are_about(recorded):
    assert DONE <= done(recorded)
    assert recorded.operations(op="renew", outcome="unknown"), "no answer was lost"
    assert recorded.operations(role="thief", code="refresh_token_reused")
    assert any(record["kind"] == "event" and record["event"] == "refresh_token_reused" for record in recorded.records)


def test_no_token_and_no_password_is_in_the_history(runs):
    text = runs["sqlite"].history().read_text()
    assert "eyJ" not in text and "crk_" not in text and "correct horse" not in text


@pytest.mark.parametrize("plant", planted.PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_violation_is_found_by_its_rule_alone(recorded, tmp_path, plant):
    broken = recorded.copy()
    plant(broken)
    violations = checker.check(broken.save(tmp_path / "history.jsonl"))
    assert rules(violations) == {planted.PLANTED[plant].__name__}, violations


@pytest.mark.parametrize("broken", planted_proxy.BROKEN, ids=lambda broken: broken.__name__)
def test_a_system_that_misbehaves_is_found_from_outside(runs, broken):
    violations = runs[broken.__name__].violations()
    found = rules(violations)
    assert broken.found_by <= found <= broken.found_by | broken.also, violations


# What a lossy failover may lose, and what it may not.

LOST_IN_A_FAILOVER = [
    planted.other_bytes_of_a_generation, planted.an_adoption, planted.a_lost_logout, planted.a_lost_login,
    planted.a_password_change_that_is_lost, planted.an_old_password_that_is_accepted]


def with_a_fault(recorded, plant):
    """The planted violation in a run that was one long lossy failover."""
    broken = recorded.copy()
    plant(broken)
    broken.records.append({"kind": "fault", "name": "lossy-failover", "phase": "begin", "at": 0})
    return broken


@pytest.mark.parametrize("plant", LOST_IN_A_FAILOVER, ids=lambda plant: plant.__name__)
def test_a_lossy_failover_may_lose_what_was_acknowledged(recorded, tmp_path, plant):
    history = with_a_fault(recorded, plant).save(tmp_path / "history.jsonl")
    assert checker.check(history, lossy=True) == []
    assert rules(checker.check(history, lossy=False)) == {planted.PLANTED[plant].__name__}, "a fault alone excuses nothing"


@pytest.mark.parametrize("plant", [planted.a_lost_logout, planted.a_lost_login, planted.a_password_change_that_is_lost],
                         ids=lambda plant: plant.__name__)
def test_what_was_acknowledged_long_before_a_lossy_failover_is_kept(recorded, tmp_path, plant):
    broken = recorded.copy()
    plant(broken)
    end = max(record["ended"] for record in broken.operations())
    broken.records.append({"kind": "fault", "name": "lossy-failover", "phase": "begin", "at": end + 60})
    found = checker.check(broken.save(tmp_path / "history.jsonl"), lossy=True)
    assert rules(found) == {planted.PLANTED[plant].__name__}


@pytest.mark.parametrize("plant", [
    planted.a_second_successor, planted.the_presented_generation_again, planted.an_alarm_for_an_honest_user,
    planted.an_alarm_whose_answer_was_lost, planted.an_internal_error], ids=lambda plant: plant.__name__)
def test_no_failover_excuses_a_fork_an_alarm_or_an_error(recorded, tmp_path, plant):
    found = checker.check(with_a_fault(recorded, plant).save(tmp_path / "history.jsonl"), lossy=True)
    assert rules(found) == {planted.PLANTED[plant].__name__}


def test_thefts_count_from_the_last_loss(recorded, tmp_path):
    broken = recorded.copy()
    planted.a_thief_who_shares_the_session(broken)
    shared = [operation for operation in broken.operations() if operation["client"] in ("thief", "honest")]
    loss = shared[1]["ended"] + 0.2
    for phase in ("begin", "end"):
        broken.records.append({"kind": "fault", "name": "lossy-failover", "phase": phase, "at": loss})
    history = broken.save(tmp_path / "history.jsonl")
    assert checker.check(history, lossy=True) == []
    assert rules(checker.check(history)) == {"no_session_is_shared_with_a_thief"}


def test_a_bearer_token_that_is_refused_as_invalid_is_a_logout(recorded, tmp_path):
    bearer = next(
        operation for operation in recorded.operations(op="bearer", role="honest", outcome="acknowledged")
        if operation["session"] not in recorded.robbed and recorded.is_plain(operation))
    broken = recorded.copy()
    broken.refuse(broken.records[recorded.records.index(bearer)], "token_invalid")
    assert rules(checker.check(broken.save(tmp_path / "history.jsonl"))) == {"no_honest_logout"}


def test_the_outage_of_each_fault_is_reported(tmp_path):
    writes = [second / 5 for second in range(100) if not 8 < second / 5 < 13]
    records = [
        {"kind": "operation", "op": "renew", "client": "ann", "role": "honest", "session": "s", "held": [0, "a", "b"], "status": 200,
         "via": "public", "started": at - 0.01, "ended": at, "outcome": "acknowledged"} for at in writes]
    records += [{"kind": "fault", "name": "kill-node", "phase": phase, "at": at} for phase, at in (("begin", 9), ("end", 12))]
    records.insert(0, {"kind": "run", "window": 30})
    violations, lines = checker.report(Recorded(records).save(tmp_path / "history.jsonl"))
    assert violations == [] and "fault kill-node: 4.0 s without an acknowledged write" in lines
