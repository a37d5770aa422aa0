"""What people do with contracts, command by command, with an operator at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from makima.cli.contracts.exits import Exit
from tests.support.command_line import Stage


def test_a_contract_from_create_to_completed(driven: Stage) -> None:
    made = driven.makima("ed", "create", "whole", "--namespace", driven.namespace, "--label", "team=a").ok()
    assert f"{driven.namespace}/whole: created, it is" in made.out
    key = f"{driven.namespace}/whole"
    first = driven.makima("ed", "complete-deliverable", key, "plan-document", "--uri", "https://x.test/plan").ok()
    assert "plan/plan-document is complete" in first.out
    driven.until("whole", lambda status: status["phase"] == "execute")
    assert driven.makima("ed", "complete-deliverable", key, "pull-request").code == 0
    done = driven.until("whole", lambda status: status["state"] == "Completed")
    assert {item["id"] for item in done["status"]["deliverables"]} == {"plan-document", "pull-request"}
    shown = driven.makima("vera", "show", key).ok()
    assert shown.out.splitlines()[0].startswith("waits for nothing: it is Completed")
    assert "✓ deliverable plan-document" in shown.out


def test_pause_and_resume(driven: Stage) -> None:
    driven.create("paused")
    driven.until("paused", lambda status: True)
    key = f"{driven.namespace}/paused"
    paused = driven.makima("ed", "pause", key, "--reason", "Waiting for review").ok()
    assert "it is Paused" in paused.out
    assert driven.get("paused")["spec"]["suspendReason"] == "Waiting for review"
    shown = driven.makima("ed", "show", key).ok().out.splitlines()
    assert shown[0].startswith("waits for somebody to resume it: Waiting for review, for ")
    resume = shown[0].partition(" → ")[2]
    assert resume == f"makima contracts resume {key} --kubeconfig {driven.kubeconfig('ed')}"
    assert "it is Created" in driven.paste(resume).ok().out
    assert "suspendReason" not in driven.get("paused")["spec"]


def test_only_who_may_confirm_passes_a_guard_and_only_what_was_looked_at(driven: Stage) -> None:
    driven.create("guarded", phaseGuard=True)
    driven.until("guarded", lambda status: True)
    key = f"{driven.namespace}/guarded"
    driven.makima("ed", "complete-deliverable", key, "plan-document", "--digest", f"sha256:{'a' * 64}").ok()
    waiting = driven.until("guarded", lambda status: status["state"] == "WaitingForInput")
    version = waiting["status"]["version"]

    refused = driven.makima("ed", "advance", key)
    assert refused.code == Exit.REFUSED and "PHASE_GUARD_REQUIRED" in refused.err and "confirm" in refused.err
    forbidden = driven.makima("ed", "confirm", key, "--yes")
    assert forbidden.code == Exit.FORBIDDEN and "UNAUTHORIZED" in forbidden.err

    nobody = driven.makima("connie", "confirm", key)
    assert nobody.code == Exit.ATTENTION
    assert f"makima contracts confirm {key} --expected-version {version}" in nobody.err
    assert "plan-document: complete sha256:aaaa" in nobody.err
    declined = driven.makima("connie", "confirm", key, typed="n\n")
    assert declined.code == Exit.ATTENTION and "nothing was confirmed" in declined.err

    outdated = driven.makima("connie", "confirm", key, "--expected-version", str(version - 1))
    assert outdated.code == Exit.CONFLICT and "VERSION_CONFLICT" in outdated.err
    assert driven.get("guarded")["status"]["phase"] == "plan"

    inbox = driven.makima(
        "connie", "inbox", "--namespace", driven.namespace, "--kind", "confirmation", "-o", "json"
    ).ok()
    (letter,) = [item for item in inbox.json if item["name"] == "guarded"]
    assert "Moved from plan to execute" in driven.paste(letter["command"]).ok().out, "as it was printed"
    assert driven.get("guarded")["status"]["phase"] == "execute"


def test_confirming_at_a_terminal_shows_and_asks(driven: Stage) -> None:
    driven.create("asked", phaseGuard=True)
    driven.until("asked", lambda status: True)
    key = f"{driven.namespace}/asked"
    driven.makima("ed", "complete-deliverable", key, "plan-document").ok()
    driven.until("asked", lambda status: status["state"] == "WaitingForInput")
    done = driven.makima("connie", "confirm", key, typed="y\n").ok()
    assert "confirm plan → execute" in done.err and "Moved from plan" in done.out


def test_forcing_moves_on_without_the_deliverables(driven: Stage) -> None:
    driven.create("forced")
    driven.until("forced", lambda status: True)
    key = f"{driven.namespace}/forced"
    missing = driven.makima("ed", "advance", key)
    assert missing.code == Exit.REFUSED and "Deliverable: plan-document" in missing.err
    assert f"next: makima contracts complete-deliverable {key} plan-document" in missing.err
    moved = driven.makima("ed", "advance", key, "--phase", "execute", "--force", "--reason", "skip it").ok()
    assert "Moved from plan to execute" in moved.out
    wrong = driven.makima("ed", "advance", key, "--phase", "plan")
    assert wrong.code == Exit.REFUSED and "VALIDATION_FAILED" in wrong.err


def test_a_question_is_answered_by_its_id_or_where_it_is_the_only_one(driven: Stage) -> None:
    driven.create("asks")
    driven.until("asks", lambda status: True)
    key = f"{driven.namespace}/asks"
    first, second = driven.ask("asks", "Which branch?"), driven.ask("asks", "Which \u202ecolour?", "red", "blue")
    unclear = driven.makima("ed", "answer", key, "main")
    assert unclear.code == Exit.REFUSED and first in unclear.err and second in unclear.err
    inbox = driven.makima("ed", "inbox", "--namespace", driven.namespace, "--kind", "answer").ok()
    assert f"makima contracts answer {key} --question {second} red" in inbox.out
    assert "\u202e" not in inbox.out
    answered = driven.makima("ed", "answer", key, "blue", "--question", second[:8]).ok()
    assert "1 more questions are open" in answered.out
    assert "answered, it is" in driven.makima("ed", "answer", key, "main").ok().out
    nothing = driven.makima("ed", "answer", key, "more")
    assert nothing.code == Exit.NOT_FOUND
    given = {item["questionId"]: item["answer"] for item in driven.get("asks")["spec"]["answers"]}
    assert given == {first: "main", second: "blue"}


def test_a_failed_contract_is_shown_and_taken_up_again(driven: Stage) -> None:
    driven.create("fails")
    body = driven.until("fails", lambda status: True)
    status = body["status"]
    entry = {
        "version": status["version"] + 1,
        "time": status["stateChangedTime"],
        "reason": "Test",
        "fromState": status["state"],
        "toState": "Failed",
        "fromPhase": status["phase"],
        "toPhase": status["phase"],
    }
    failed = {"state": "Failed", "failureReason": "budget spent", "version": entry["version"]}
    failed |= {"transitions": [*status.get("transitions", ()), entry], "finishedTime": status["stateChangedTime"]}
    driven.patch("fails", {"status": failed}, "status")
    key = f"{driven.namespace}/fails"
    sick = driven.makima("vera", "health", key)
    assert sick.code == Exit.UNHEALTHY
    assert "Failed: waits for a retry, or to be archived: budget spent" in sick.out
    assert "it is Active" in driven.makima("ed", "retry", key).ok().out


def test_a_supervisor_that_is_not_there_can_not_be_restarted(driven: Stage) -> None:
    driven.create("alone")
    driven.until("alone", lambda status: True)
    done = driven.makima("ed", "restart-supervisor", f"{driven.namespace}/alone")
    assert done.code == Exit.NOT_FOUND and "SUPERVISOR_NOT_FOUND" in done.err and "makima supervise" in done.err


def test_a_dry_run_changes_nothing(driven: Stage) -> None:
    driven.create("dry")
    before = driven.until("dry", lambda status: True)
    for words in (("pause",), ("advance", "--force"), ("complete-deliverable", "plan-document")):
        command, *rest = words
        done = driven.makima("ed", command, f"{driven.namespace}/dry", *rest, "--dry-run").ok()
        assert "dry run: nothing was changed" in done.out
    assert driven.get("dry")["spec"] == before["spec"]


def test_watching_a_list_shows_changes_until_its_time_is_over(driven: Stage) -> None:
    driven.create("watched", suspend=True)
    driven.until("watched", lambda status: status["state"] == "Paused")
    began = time.monotonic()
    done = driven.makima("vera", "list", "--namespace", driven.namespace, "--status", "paused", "-w", "--timeout", "5s")
    assert done.code == 0 and "watched" in done.out
    assert time.monotonic() - began >= 5


def beside(work: Callable[[], object]) -> threading.Thread:
    """Do this while a command is under way."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_tree_is_drawn_again_with_each_change_until_the_contract_is_gone(driven: Stage) -> None:
    driven.create("drawn")
    driven.until("drawn", lambda status: True)
    path = f"/apis/makima.dev/v1alpha1/namespaces/{driven.namespace}/contracts/drawn"

    def change() -> None:
        time.sleep(4)
        driven.patch("drawn", {"spec": {"suspend": True}})
        driven.until("drawn", lambda status: status["state"] == "Paused")
        time.sleep(4)
        driven.do(lambda admin: admin.request("DELETE", path))

    changing = beside(change)
    done = driven.makima("vera", "show", f"{driven.namespace}/drawn", "-w", "--timeout", "90s").ok()
    changing.join(60)
    heads = [line for line in done.out.splitlines() if line.startswith("waits for ")]
    assert "a supervisor to register" in heads[0]
    assert any("somebody to resume it" in head for head in heads[1:])
    assert "it was deleted" in done.err


def test_a_watched_list_shows_what_changes(driven: Stage) -> None:
    driven.create("moves")
    driven.until("moves", lambda status: True)

    def change() -> None:
        time.sleep(4)
        driven.patch("moves", {"spec": {"suspend": True}})

    changing = beside(change)
    words = ("list", "--namespace", driven.namespace, "--status", "created", "-w", "--timeout", "20s")
    done = driven.makima("vera", *words).ok()
    changing.join(60)
    assert f"{driven.namespace}/moves Paused" in done.out, "it left the selection: shown once more, as it is now"
