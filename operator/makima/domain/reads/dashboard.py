"""From what Postgres has to what the dashboard says; and what is counted as what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from makima.domain.monitor.frames import frame_of, shown_status
from makima.domain.reconcile.states import FINISHED
from makima.models.dashboard import Crew, Seen, Silent, Tally, Usage, Waiting
from makima.models.wire.dashboard import (
    Dashboard,
    ProjectionAge,
    ResourceUsage,
    StaleContract,
    WaitingContract,
)

PHASES = 200
"""Most phases that are shown: their names are the users'."""

ENDED = frozenset(state.snake for state in FINISHED)

CONFIRMATION, ANSWER = "confirmation: ", "answer: "
"""How `waiting_for` begins, by what is waited for (`makima.domain.reconcile.rest`)."""


def status_counts(tallies: Iterable[Tally], *, enhanced: bool) -> dict[str, int]:
    """Contracts by status, the nine or the three old ones."""
    counts: Counter[str] = Counter()
    for tally in tallies:
        counts[shown_status(tally.status, enhanced=enhanced)] += tally.contracts
    return {status: number for status, number in sorted(counts.items()) if number > 0}


def phase_counts(tallies: Iterable[Tally]) -> dict[str, int]:
    """Contracts that are not finished, by phase; those phases that have the most."""
    counts: Counter[str] = Counter()
    for tally in tallies:
        if tally.status not in ENDED:
            counts[tally.phase] += tally.contracts
    return {phase: number for phase, number in counts.most_common(PHASES) if number > 0}


def usage_of(crews: Iterable[Crew]) -> Usage:
    """Live supervisors, and distinct hosts: two namespaces may share one."""
    supervisors: Counter[str] = Counter()
    hosts: dict[str, set[str]] = {}
    for crew in crews:
        supervisors[crew.namespace] += crew.supervisors
        hosts.setdefault(crew.namespace, set()).add(crew.host)
    places = {namespace: (supervisors[namespace], frozenset(found)) for namespace, found in hosts.items()}
    return Usage(sum(supervisors.values()), len(set().union(*hosts.values())), places)


def used(usage: Usage, namespaces: Iterable[str] | None) -> tuple[int, int]:
    """Live supervisors, and distinct hosts, of these namespaces (None = all)."""
    if namespaces is None:
        return usage.supervisors, usage.hosts
    found = [usage.by_namespace[name] for name in namespaces if name in usage.by_namespace]
    return sum(number for number, _ in found), len(frozenset[str]().union(*(hosts for _, hosts in found)))


def dashboard(
    seen: Seen, usage: Usage, namespaces: Iterable[str] | None, now: datetime, *, enhanced: bool
) -> Dashboard:
    """The answer for somebody who sees these namespaces (None = all)."""
    supervisors, hosts = used(usage, namespaces)
    return Dashboard(
        status_counts=status_counts(seen.tallies, enhanced=enhanced),
        phase_counts=phase_counts(seen.tallies),
        stale_contracts=tuple(_stale(item, now) for item in seen.silent),
        waiting_for_input=tuple(_waiting(item) for item in seen.waiting),
        recent_events=tuple(frame_of(event, enhanced=enhanced) for event in seen.events),
        resource_usage=ResourceUsage(
            active_supervisors=supervisors,
            active_daemons=hosts,
            running_tasks=sum(tally.running_tasks for tally in seen.tallies),
            pending_tasks=sum(tally.pending_tasks for tally in seen.tallies),
            total_worktrees=sum(tally.worktrees for tally in seen.tallies),
        ),
        projection=ProjectionAge(
            caught_up_at=seen.caught_up_at,
            lag_secs=round(max(seen.lag, timedelta()).total_seconds(), 3) if seen.lag is not None else None,
        ),
    )


def _stale(silent: Silent, now: datetime) -> StaleContract:
    return StaleContract(
        id=silent.id,
        namespace=silent.namespace,
        name=silent.name,
        last_activity=silent.last_activity_at,
        stale_duration_secs=max(0, int((now - silent.idle_since).total_seconds())),
    )


def _waiting(item: Waiting) -> WaitingContract:
    told = item.waiting_for or ""
    common = {"id": item.id, "namespace": item.namespace, "name": item.name, "since": item.since}
    if told.startswith(CONFIRMATION):
        return WaitingContract(**common, waiting_for="confirmation", question=told.removeprefix(CONFIRMATION))
    if told.startswith(ANSWER):
        question = item.question or told.removeprefix(ANSWER)
        return WaitingContract(**common, waiting_for="question", question=question, question_id=item.question_id)
    return WaitingContract(**common, waiting_for="person", question=told or None)
