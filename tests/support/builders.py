"""Short ways to build contracts, and the operator's loop without a cluster.

`drive` applies decisions until nothing changes, as the operator does, and holds every write against the rules of the
API server, which `tests.support.api_rules` states again without looking at the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.reconcile.validation import Question as ValidatorQuestion
from makima.domain.reconcile.validation import Verdict
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.contract_spec import AdvanceRequest, Answer, ContractSpec, ReportedDeliverable
from makima.models.contract_status import ContractStatus, Question, TaskStatus, Transition
from makima.models.contract_type import ContractType, ContractTypeSpec
from makima.models.enums import ContractState, Priority, SupervisorState, TaskPolicy, TaskState
from makima.models.gate import CelValidator, Deliverable, Gate, Phase, TaskRequirement, Validator
from makima.models.metadata import Metadata
from makima.models.supervisor import Supervisor, SupervisorSpec, SupervisorStatus
from tests.support.api_rules import check_status_write

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
UID = "11111111-1111-4111-8111-111111111111"
SUPERVISOR_UID = "22222222-2222-4222-8222-222222222222"
RECORDED = 1_000_000
"""Above every version: `drive` takes it as a history that has every version written so far."""


def at(seconds: float) -> datetime:
    """The moment `seconds` after the start of every test."""
    return START + timedelta(seconds=seconds)


def an_id(number: int) -> str:
    """The UUID with this number."""
    return str(UUID(int=number))


# What phases are made of


def all_tasks() -> TaskRequirement:
    return TaskRequirement(policy=TaskPolicy.ALL_COMPLETE)


def some_tasks(least: int) -> TaskRequirement:
    return TaskRequirement(policy=TaskPolicy.MIN_COMPLETE, min=least)


def named_tasks(*names: str) -> TaskRequirement:
    return TaskRequirement(policy=TaskPolicy.NAMED_TASKS, names=names)


def a_validator(expression: str = "true", **fields: Any) -> Validator:
    return Validator(cel=CelValidator(expression=expression), **fields)


def a_gate(
    tasks: TaskRequirement | None = None,
    validator: Validator | None = None,
    *,
    auto: bool = True,
    requires: Sequence[str] | None = None,
) -> Gate:
    return Gate(
        required_tasks=tasks,
        validator=validator,
        auto_advance=auto,
        required_deliverables=None if requires is None else tuple(requires),
    )


def a_phase(
    name: str,
    *required: str,
    optional: Sequence[str] = (),
    gate: Gate | None = None,
) -> Phase:
    """A phase with these deliverables; without `gate` it moves by hand only."""
    there = [Deliverable(id=item) for item in required]
    there += [Deliverable(id=item, priority=Priority.OPTIONAL) for item in optional]
    return Phase(name=name, deliverables=tuple(there), gate=gate)


def two_phases(gate: Gate | None = None) -> tuple[Phase, ...]:
    """plan (plan-document) and execute (pull-request), both with `gate`; by default one that moves by itself."""
    gate = a_gate() if gate is None else gate
    return (a_phase("plan", "plan-document", gate=gate), a_phase("execute", "pull-request", gate=gate))


def a_type(name: str, *phases: Phase) -> ContractType:
    return ContractType(metadata=Metadata(name=name, namespace="default"), spec=ContractTypeSpec(phases=phases))


# What is around a contract


def around(seconds: float = 0, settings: Settings | None = None, **fields: Any) -> Surroundings:
    """Surroundings `seconds` after the start; the history has everything unless `recorded_version` is given."""
    fields.setdefault("recorded_version", RECORDED)
    return Surroundings(settings=settings or Settings(), now=at(seconds), **fields)


def a_supervisor(state: SupervisorState | None = None, *, incarnation: int | None = None, **status: Any) -> Supervisor:
    """A registered external supervisor."""
    told = SupervisorStatus(state=state, incarnation=incarnation, **status)
    return Supervisor(
        metadata=Metadata(name="work", namespace="default", uid=SUPERVISOR_UID), spec=SupervisorSpec(), status=told
    )


# Contracts and what people and supervisors do to them


def a_contract(*phases: Phase, **spec: Any) -> Contract:
    """A contract nobody has looked at yet; without phases it has the two of `two_phases`, unless it names a type."""
    if "type" not in spec:
        spec["phases"] = phases or two_phases()
    metadata = Metadata(name="work", namespace="default", uid=UID, generation=1, creation_timestamp=START)
    return Contract(metadata=metadata, spec=ContractSpec(**spec))


def wanting(contract: Contract, **spec: Any) -> Contract:
    """The contract after somebody changed its spec."""
    metadata = contract.metadata.model_copy(update={"generation": contract.metadata.generation + 1})
    return contract.model_copy(update={"metadata": metadata, "spec": contract.spec.model_copy(update=spec)})


def reporting(contract: Contract, *names: str) -> Contract:
    """The contract with these deliverables reported, each "phase/id"."""
    keys = [name.split("/") for name in names]
    items = tuple(ReportedDeliverable(phase=phase, id=identifier) for phase, identifier in keys)
    return wanting(contract, deliverables=(*contract.spec.deliverables, *items))


def answering(contract: Contract, *ids: str) -> Contract:
    answers = tuple(Answer(question_id=item, answer="yes") for item in ids)
    return wanting(contract, answers=(*contract.spec.answers, *answers))


def advancing(contract: Contract, to: str, version: int | None = None, **fields: Any) -> Contract:
    """The contract with an advance asked for, for the version that it has unless `version` is given."""
    expected = status_of(contract).version if version is None else version
    return wanting(contract, advance=AdvanceRequest(to=to, expected_version=expected, **fields))


def status_of(contract: Contract) -> ContractStatus:
    """The status of an accepted contract."""
    assert contract.status is not None
    return contract.status


def with_status(contract: Contract, **changes: Any) -> Contract:
    """The contract after a report that leaves the version alone: tasks, questions, activity."""
    return contract.model_copy(update={"status": status_of(contract).model_copy(update=changes)})


def a_task(
    number: int, state: TaskState = TaskState.RUNNING, *, name: str = "build", phase: str = "plan"
) -> TaskStatus:
    return TaskStatus(id=an_id(number), name=name, phase=phase, state=state)


def with_tasks(contract: Contract, *tasks: TaskStatus) -> Contract:
    return with_status(contract, tasks=tasks)


def a_question(number: int, text: str = "Which branch?", phase: str = "plan") -> Question:
    return Question(id=an_id(number), question=text, type="free-text", phase=phase, asked_time=START)


def with_questions(contract: Contract, *questions: Question) -> Contract:
    return with_status(contract, questions=questions)


def failing(contract: Contract, seconds: float, reason: str = "restart budget spent") -> Contract:
    """The contract after whoever watches supervisors has declared it Failed."""
    old = status_of(contract)
    transition = Transition(
        version=old.version + 1,
        time=at(seconds),
        reason="Failed",
        from_state=old.state,
        to_state=ContractState.FAILED,
        from_phase=old.phase,
        to_phase=old.phase,
    )
    return with_status(
        contract,
        state=ContractState.FAILED,
        version=old.version + 1,
        failure_reason=reason,
        finished_time=at(seconds),
        state_changed_time=at(seconds),
        waiting_for=None,
        blocked_reason=None,
        paused_from=None,
        transitions=(*old.transitions, transition)[-64:],
    )


def accepted(*phases: Phase, seconds: float = 0, settings: Settings | None = None, **spec: Any) -> Contract:
    """A contract after its first status: Created, version 1, untouched since."""
    contract = a_contract(*phases, **spec)
    decision = decide(contract, around(seconds, settings))
    assert decision.status is not None
    return written(contract, decision, around(seconds, settings))


def active(*phases: Phase, seconds: float = 0, settings: Settings | None = None, **spec: Any) -> Contract:
    """A contract that a supervisor has taken up: Active, version 2."""
    contract = accepted(*phases, seconds=seconds, settings=settings, **spec)
    contract, _ = drive(contract, around(seconds, settings, supervisor=a_supervisor()))
    assert status_of(contract).state is ContractState.ACTIVE
    return contract


def a_status(*phases: Phase, **changes: Any) -> ContractStatus:
    """A status made up by hand, Active in the first phase, for tests that look at a status only."""
    phases = phases or two_phases()
    fields: Mapping[str, Any] = {
        "state": ContractState.ACTIVE,
        "phase": phases[0].name,
        "version": 3,
        "phases": phases,
        "phase_start_time": START,
        "state_changed_time": START,
        "last_activity_time": START,
    }
    return ContractStatus(**{**fields, **changes})


# The operator's loop


def written(contract: Contract, decision: Decision, surroundings: Surroundings) -> Contract:
    """The contract as it is stored after this decision, read back from JSON.

    Raises:
        tests.support.api_rules.WriteRefusedError: the API server would not take the write.
    """
    body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
    if decision.refusal is not None:
        assert contract.status is None, "only a contract that is not accepted can be refused"
        body["status"] = {"conditions": [item.model_dump(mode="json", by_alias=True) for item in decision.refusal]}
        return Contract.from_object(body)
    assert decision.status is not None
    check_status_write(contract, decision.status, recorded=surroundings.recorded_version)
    body["status"] = decision.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    stored = Contract.from_object(body)
    assert stored.status == decision.status, "what is stored differs from what was decided"
    return stored


def drive(
    contract: Contract,
    surroundings: Surroundings,
    *,
    answer: Callable[[ValidatorQuestion], Verdict] | None = None,
    limit: int = 40,
) -> tuple[Contract, list[Decision]]:
    """Apply decisions until nothing changes, all at the same moment.

    Args:
        answer: the gate's validator; without one a question ends the loop.
        limit: decisions after which it is said never to end.

    Returns:
        The contract at rest and every decision; the last one writes nothing.
    """
    decisions: list[Decision] = []
    for _ in range(limit):
        seen = _as_far_as_written(contract, surroundings)
        decision = decide(contract, seen)
        decisions.append(decision)
        if decision.question is not None and answer is not None:
            surroundings = replace(surroundings, verdict=answer(decision.question))
        elif decision.status is not None or decision.refusal is not None:
            contract = written(contract, decision, seen)
        else:
            return contract, decisions
    raise AssertionError(f"no end after {limit} decisions: {[_short(item) for item in decisions[-6:]]}")


def _as_far_as_written(contract: Contract, surroundings: Surroundings) -> Surroundings:
    version = 0 if contract.status is None else contract.status.version
    return replace(surroundings, recorded_version=min(surroundings.recorded_version, version))


def _short(decision: Decision) -> str:
    if decision.status is None:
        return "question" if decision.question is not None else "refusal"
    status = decision.status
    return (
        f"v{status.version} {status.state} {status.phase} {status.transitions[-1].reason if status.transitions else ''}"
    )


def driven(contract: Contract, surroundings: Surroundings, **options: Any) -> Contract:
    """The contract at rest."""
    return drive(contract, surroundings, **options)[0]


def notices_of(decisions: Sequence[Decision]) -> list[str]:
    """Reasons of every Event sent on the way."""
    return [notice.reason.value for decision in decisions for notice in decision.notices]


def writes_of(decisions: Sequence[Decision]) -> list[ContractStatus]:
    """Every status written on the way."""
    return [decision.status for decision in decisions if decision.status is not None]


def says(
    verdict: bool, *missing: str, seconds: float = 0, failed: bool = False
) -> Callable[[ValidatorQuestion], Verdict]:
    """A validator that always gives this answer."""
    return lambda question: Verdict(question.fingerprint, at(seconds), verdict, missing, failed)


def condition(contract: Contract, kind: str) -> tuple[str, str, str]:
    """(status, reason, message) of one condition."""
    conditions = contract.early_conditions if contract.status is None else contract.status.conditions
    found = next(item for item in conditions if item.type == kind)
    return found.status.value, found.reason, found.message
