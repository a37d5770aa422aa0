"""A scripted world for the monitor: contracts in every state, and a source that plays what a test tells it to.

`python -m tests.support.monitor_world [N]` shows it in this terminal, with N contracts.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from makima.errors import MakimaError
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor
from makima.tui.source import (
    ApiLink,
    Change,
    ContractsSeen,
    Happened,
    Happening,
    Key,
    Kind,
    KubeLink,
    Link,
    LinkState,
    Listed,
    SupervisorsSeen,
)

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""The moment in which the world stands still."""

DIGEST = "sha256:" + "9f86d081884c7d659a2feaa0c55ad015" * 2


def uid_of(namespace: str, name: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{namespace}/{name}"))


def time_ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


PHASES: dict[str, tuple[tuple[str, str], ...]] = {
    "simple": (("plan", "plan-document"), ("execute", "pull-request")),
    "specification": (
        ("research", "research-notes"),
        ("specify", "requirements-document"),
        ("plan", "plan-document"),
        ("execute", "pull-request"),
        ("review", "release-notes"),
    ),
    "execute": (("execute", "pull-request"),),
}


def a_body(
    name: str,
    state: str = "Active",
    *,
    namespace: str = "team-a",
    kind: str = "simple",
    step: int = 1,
    since: float = 600,
    age: float = 7200,
    version: int = 3,
    guard: bool = False,
    done: Sequence[str] = (),
    **status: Any,
) -> dict[str, Any]:
    """A contract as the API server gives it; `done` are ids of deliverables of the current phase that are there."""
    names = PHASES[kind]
    phases = [
        {
            "name": phase,
            "deliverables": [{"id": item, "priority": "Required"}, {"id": f"{phase}-log", "priority": "Optional"}],
            "gate": {"autoAdvance": True},
        }
        for phase, item in names
    ]
    behind = [
        {"phase": phase, "id": item, "completedTime": time_ago(since + 60), "digest": DIGEST}
        for phase, item in names[: step - 1]
    ]
    here = [
        {
            "phase": names[step - 1][0],
            "id": item,
            "completedTime": time_ago(since),
            "completedBy": "system:serviceaccount:team-a:agent",
            "digest": DIGEST,
            "uri": f"https://git.example/{name}/pull/7",
        }
        for item in done
    ]
    moved = {
        "version": version,
        "time": time_ago(since),
        "reason": "Advanced",
        "message": f"{state}",
        "fromState": "Active" if state != "Active" else "Created",
        "toState": state,
        "fromPhase": names[max(0, step - 2)][0],
        "toPhase": names[step - 1][0],
    }
    spec: dict[str, Any] = {"type": kind, "phaseGuard": guard, "answers": [], "deliverables": []}
    if state == "Paused":
        spec |= {"suspend": True, "suspendReason": "waits for the release window"}
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid_of(namespace, name),
            "generation": 1,
            "resourceVersion": "10",
            "creationTimestamp": time_ago(age),
        },
        "spec": spec,
        "status": {
            "state": state,
            "phase": names[step - 1][0],
            "version": version,
            "phases": phases,
            "deliverables": behind + here,
            "phaseStartTime": time_ago(since),
            "stateChangedTime": time_ago(since),
            "lastActivityTime": time_ago(min(since, 30)),
            "supervisorRef": {"name": name, "uid": uid_of(namespace, "sup-" + name), "incarnation": 2, "restarts": 1},
            "transitions": [moved],
            "conditions": [],
            **status,
        },
    }


def a_contract(name: str, state: str = "Active", **fields: Any) -> Contract:
    """The same as a model."""
    return Contract.from_object(a_body(name, state, **fields))


def a_question(number: int, text: str, *options: str, since: float = 600) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "question": text,
        "type": "choice" if options else "free-text",
        "phase": "plan",
        "askedTime": time_ago(since),
        "options": list(options),
    }


def a_supervisor(
    name: str, state: str = "Working", *, namespace: str = "team-a", heard: float = 8, restarts: int = 0, **status: Any
) -> Supervisor:
    """The supervisor of the contract of this name."""
    told = {
        "state": state,
        "lastHeartbeatTime": time_ago(heard),
        "incarnation": 2,
        "restarts": restarts,
        "podName": f"{name}-2",
        "phase": "plan",
        **status,
    }
    meta = {"name": name, "namespace": namespace, "uid": uid_of(namespace, "sup-" + name)}
    return Supervisor.model_validate({"metadata": meta, "spec": {}, "status": told})


def stale_condition(minutes: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "Stale",
            "status": "True",
            "reason": "NoActivity",
            "message": f"No activity for {minutes} minutes",
            "observedGeneration": 1,
            "lastTransitionTime": time_ago(minutes * 60 - 1800),
        }
    ]


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


LIVE, BOTH_LIVE = Link(LinkState.LIVE, NOW), (KubeLink(Link(LinkState.LIVE, NOW)), ApiLink(Link(LinkState.LIVE, NOW)))


@dataclass
class PlayedWorld:
    """A source that gives what it is told, and writes down what it is asked to do.

    Attributes:
        asked: wishes in order, each as (verb, key, what).
        refuses: error with which every wish ends.
        past: the history of every contract.
    """

    start: Sequence[Change] = ()
    refuses: MakimaError | None = None
    past: Sequence[Happening] | MakimaError = ()
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    _told: asyncio.Queue[Change] = field(default_factory=asyncio.Queue)

    def tell(self, *changes: Change) -> None:
        """Let this happen."""
        for change in changes:
            self._told.put_nowait(change)

    async def changes(self) -> AsyncIterator[Change]:
        for change in self.start:
            yield change
        while True:
            yield await self._told.get()

    async def past_events(self, contract: Contract, limit: int) -> Sequence[Happening]:
        if isinstance(self.past, MakimaError):
            raise self.past
        return self.past

    async def answer(self, contract: Contract, question_id: str, answer: str) -> None:
        self._ask("answer", contract, question_id, answer)

    async def advance(self, contract: Contract, to: str, *, confirmed: bool, reason: str | None = None) -> None:
        assert contract.status is not None
        self._ask("advance", contract, to, contract.status.version, confirmed)

    async def suspend(self, contract: Contract, suspended: bool, reason: str | None = None) -> None:
        self._ask("suspend" if suspended else "resume", contract, reason)

    async def restart_supervisor(self, contract: Contract, incarnation: int) -> None:
        self._ask("restart", contract, incarnation)

    def _ask(self, verb: str, contract: Contract, *what: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.asked.append((verb, (contract.metadata.namespace, contract.metadata.name), *what))


def told(
    contracts: Iterable[Contract], supervisors: Iterable[Supervisor] = (), links: Sequence[Change] = BOTH_LIVE
) -> list[Change]:
    """What a source says at the start."""
    contracts, supervisors = list(contracts), list(supervisors)

    def keys(items: Sequence[Contract | Supervisor]) -> frozenset[Key]:
        return frozenset((item.metadata.namespace, item.metadata.name) for item in items)

    return [
        ContractsSeen(contracts),
        Listed(Kind.CONTRACTS, keys(contracts)),
        SupervisorsSeen(supervisors),
        Listed(Kind.SUPERVISORS, keys(supervisors)),
        *links,
    ]


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


def main() -> None:
    """Show the world in this terminal."""
    from makima.tui.app import MonitorApp

    contracts, supervisors = a_crowd(int(sys.argv[1])) if len(sys.argv) > 1 else a_team()
    source = PlayedWorld([*told(contracts, supervisors), team_events()])
    MonitorApp(source, now=lambda: NOW).run()


if __name__ == "__main__":
    main()
