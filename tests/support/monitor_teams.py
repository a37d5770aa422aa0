"""A team whose contracts each have a story, and a crowd of them in every state; and what their stream told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from makima.models.contract import Contract
from makima.models.supervisor import Supervisor
from makima.tui.source import Happened, Happening
from tests.support.monitor_contracts import NOW, a_contract, a_question, a_supervisor, stale_condition, time_ago, uid_of

QUESTION = a_question(1, "Which database shall the payment service use?", "Postgres", "MySQL", "SQLite", since=1980)


def a_team() -> tuple[list[Contract], list[Supervisor]]:
    """Nine contracts, each with a story: what the pictures of the documentation show."""
    contracts = [
        a_contract(
            "pay-service",
            "WaitingForInput",
            kind="specification",
            step=2,
            since=1980,
            waitingFor="answer: Which database shall the payment service use?",
            questions=[QUESTION],
        ),
        a_contract(
            "web-checkout",
            "WaitingForInput",
            namespace="team-b",
            kind="specification",
            step=3,
            since=420,
            version=7,
            guard=True,
            done=("plan-document",),
            waitingFor="confirmation: plan → execute",
        ),
        a_contract(
            "billing-export",
            "Blocked",
            namespace="team-b",
            since=5400,
            blockedReason="the token for the registry has expired",
        ),
        a_contract("search-index", "Failed", since=10800, failureReason="The restart budget of 10 is spent"),
        a_contract(
            "docs-rewrite",
            kind="specification",
            step=4,
            since=9000,
            age=200000,
            conditions=stale_condition(95),
            lastActivityTime=time_ago(5700),
        ),
        a_contract(
            "upgrade-tls",
            kind="specification",
            step=4,
            since=900,
            version=9,
            tasks=[
                {
                    "id": uid_of("t", str(n)),
                    "name": task,
                    "phase": "execute",
                    "state": state,
                    "startTime": time_ago(300),
                }
                for n, (task, state) in enumerate(
                    (("unit-tests", "Running"), ("lint", "Completed"), ("docs", "Pending"))
                )
            ],
        ),
        a_contract("mobile-login", step=2, since=300, namespace="team-b"),
        a_contract("data-migration", "Paused", since=7200),
        a_contract("flaky-tests", "Completed", step=2, since=86400, age=200000),
    ]
    supervisors = [
        a_supervisor(
            "pay-service", "WaitingForUser", currentActivity="waits for the choice of a database", progress=40
        ),
        a_supervisor(
            "web-checkout", "WaitingForUser", namespace="team-b", currentActivity="plan is written", progress=100
        ),
        a_supervisor("billing-export", "Blocked", namespace="team-b", errorMessage="401 from the registry"),
        a_supervisor("search-index", "Failed", heard=10800, restarts=10),
        a_supervisor("docs-rewrite", "Working", heard=190, currentActivity="rewriting chapter 4", progress=70),
        a_supervisor(
            "upgrade-tls",
            "WaitingForTasks",
            heard=4,
            restarts=1,
            currentActivity="running the tests of 14 services against the new certificates",
            progress=62,
            pendingTasks=2,
            phase="execute",
            restoration={"outcome": "Resumed", "time": time_ago(2400)},
        ),
        a_supervisor(
            "mobile-login", heard=12, namespace="team-b", currentActivity="editing LoginForm.tsx", progress=25
        ),
    ]
    return contracts, supervisors


def a_crowd(count: int) -> tuple[list[Contract], list[Supervisor]]:
    """Many contracts in 20 namespaces, in all states, with supervisors."""
    states = (
        "Active",
        "Active",
        "Active",
        "WaitingForInput",
        "Completed",
        "Paused",
        "Failed",
        "Active",
        "Active",
        "Blocked",
    )
    contracts, supervisors = [], []
    for number in range(count):
        place, name = f"team-{number % 20:02}", f"work-{number:05}"
        state = states[number % len(states)]
        why: dict[str, Any] = {"questions": [QUESTION]} if state == "WaitingForInput" else {}
        contracts.append(a_contract(name, state, namespace=place, since=60 + number, age=3600 + number * 7, **why))
        supervisors.append(
            a_supervisor(name, namespace=place, currentActivity=f"step {number % 17}", progress=number % 100)
        )
    return contracts, supervisors


def heartbeat(contract: Contract, at: datetime, **fields: Any) -> Happening:
    """A heartbeat on the stream."""
    key = (contract.metadata.namespace, contract.metadata.name)
    return Happening("Heartbeat", at, key, contract.metadata.uid, fields={"state": "working", **fields})


def happening(contract: Contract, kind: str, seq: int, at: datetime = NOW, **fields: Any) -> Happening:
    """An event on the stream."""
    key = (contract.metadata.namespace, contract.metadata.name)
    return Happening(kind, at, key, contract.metadata.uid, seq=seq, fields=fields)


def team_events() -> Happened:
    """What the team's stream told lately."""
    contracts = {item.metadata.name: item for item in a_team()[0]}
    question = "Which database shall the payment service use?"
    script: tuple[tuple[int, str, str, dict[str, Any]], ...] = (
        (1980, "pay-service", "QuestionAsked", {"question": question, "question_id": QUESTION["id"]}),
        (960, "upgrade-tls", "DeliverableCompleted", {"phase": "plan", "deliverable_id": "plan-document"}),
        (900, "upgrade-tls", "PhaseChanged", {"old_phase": "plan", "new_phase": "execute"}),
        (420, "web-checkout", "StatusChanged", {"old_status": "active", "new_status": "waiting_for_input"}),
        (120, "upgrade-tls", "TaskCompleted", {"task_name": "lint", "success": True}),
        (60, "docs-rewrite", "StaleDetected", {"last_activity": time_ago(5700), "stale_duration": 5700}),
        (20, "mobile-login", "SupervisorStateChanged", {"old_state": "idle", "new_state": "working"}),
    )
    return Happened(
        [
            happening(contracts[name], kind, seq, NOW - timedelta(seconds=before), **fields)
            for seq, (before, name, kind, fields) in enumerate(script, 1)
        ]
    )
