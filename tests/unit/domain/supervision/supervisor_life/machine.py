"""A supervisor's life for a property-based test: operators that crash, sleep and look at old copies; pods that end.

Every operator takes one step at a time, so a crash is simply a step that no step follows. What must hold is judged by
what is stored, and in the end (`rests`) one operator with open eyes has to bring everything to rest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from makima.domain.reasons import AliveReason
from makima.domain.reconcile.states import FINISHED
from makima.domain.supervision.next_step import decide_supervisor
from makima.domain.supervision.pod_demand import PodDemand, demand_for
from makima.domain.supervision.pod_life import work_left
from makima.domain.supervision.pods import PodSeen
from makima.domain.supervision.steps import Allocate, CreatePod, Seen
from makima.domain.supervision.supervisor_status import alive_reason
from makima.models.contract_spec import RestartRequest
from makima.models.contract_status import Transition
from makima.models.enums import ContractState, SupervisorState, WhileWaiting
from makima.models.metadata import Metadata
from makima.models.pod_template import Container, PodTemplate
from makima.models.supervisor import Backoff, Restart, Supervisor, SupervisorSpec
from tests.support.builders import START, SUPERVISOR_UID, active, at, status_of, wanting, with_status
from tests.unit.domain.supervision.supervisor_life.world import World

MAX_RESTARTS = 3
SELDOM = st.sampled_from([False, False, False, True])
STATES = st.sampled_from([*[ContractState.ACTIVE] * 3, ContractState.WAITING_FOR_INPUT, ContractState.BLOCKED])
TEMPLATE = PodTemplate(containers=(Container(name="agent", image="agent"),))


class SupervisorLife(RuleBasedStateMachine):
    """One Supervisor with a pod template, from its first look on."""

    reached: ClassVar[set[str]] = set()
    """Steps that were taken, why lives were over, and in what supervisors of this run came to rest."""

    @initialize(release=st.booleans())
    def apply(self, release: bool) -> None:
        spec = SupervisorSpec(
            template=TEMPLATE,
            restart=Restart(
                max_restarts=MAX_RESTARTS, backoff=Backoff(seconds=10, cap_seconds=40), reset_after_seconds=604800
            ),
            while_waiting=WhileWaiting.RELEASE if release else WhileWaiting.KEEP,
        )
        metadata = Metadata(name="work", namespace="default", uid=SUPERVISOR_UID, resource_version="1")
        self.world = World(active(), Supervisor(metadata=metadata, spec=spec))
        self.old: Seen = self.world.seen()
        self.asleep: list[tuple[Seen, CreatePod]] = []

    # Operators

    def look(self, seen: Seen) -> bool:
        """One step; whether there was one that was taken."""
        before = self.world.status
        step = decide_supervisor(seen).step
        if step is None:
            return False
        taken = self.world.take(seen, step)
        self.reached |= {type(step).__name__, alive_reason(self.world.status) or "None"}
        if taken and (self.world.incarnation > (before.incarnation or 0)):
            self.counted_rightly(seen)
        return taken

    def counted_rightly(self, seen: Seen) -> None:
        """A life that ended by itself with work left counts; nothing else does."""
        before, after = seen.restarts, self.world.status.restarts or 0
        assert after in (0, before, before + 1)
        assert after <= MAX_RESTARTS, "the budget was exceeded"
        over = {AliveReason.RELEASED, AliveReason.SUSPENDED, AliveReason.ENDED, AliveReason.GIVEN_UP}
        failed = seen.pod is not None and seen.pod.exit_code == 1 and not seen.pod.disrupted
        if failed and alive_reason(seen.status) not in over and seen.contract.spec.restart_supervisor is None:
            assert after == before + 1, "a failure was not counted"

    @rule(steps=st.integers(1, 8))
    def operator_takes_some_steps_and_crashes(self, steps: int) -> None:
        for _ in range(steps):
            if not self.look(self.world.seen()):
                return

    @rule()
    def another_operator_takes_a_copy(self) -> None:
        self.old = self.world.seen()

    @rule(keeps=st.sampled_from(["supervisor", "session", "pods", "contract", "everything"]))
    def it_takes_a_step_by_its_old_copy(self, keeps: str) -> None:
        fresh, old = self.world.seen(), self.old
        everything = replace(old, now=fresh.now)
        self.look(everything if keeps == "everything" else replace(fresh, **{keeps: getattr(old, keeps)}))

    @rule()
    def an_operator_falls_asleep_before_it_makes_a_pod(self) -> None:
        seen = self.world.seen()
        step = decide_supervisor(seen).step
        if isinstance(step, CreatePod) and len(self.asleep) < 2:
            self.asleep.append((seen, step))

    @precondition(lambda self: self.asleep)
    @rule()
    def it_wakes_up_and_makes_it(self) -> None:
        seen, step = self.asleep.pop(0)
        self.world.take(seen, step, looked_just_before=False)

    # Pods

    def pick(self, number: int) -> PodSeen | None:
        names = sorted(self.world.pods)
        return self.world.pods[names[number % len(names)]] if names else None

    @rule(number=st.integers(0, 3))
    def pod_starts(self, number: int) -> None:
        pod = self.pick(number)
        if pod is not None and pod.started_at is None and not pod.finished:
            self.world.pods[pod.name] = replace(pod, started_at=at(self.world.now))

    @rule(number=st.integers(0, 3), state=st.sampled_from([SupervisorState.WORKING, SupervisorState.WAITING_FOR_USER]))
    def pod_registers(self, number: int, state: SupervisorState) -> None:
        pod, session = self.pick(number), self.world.session
        if pod is None or session is None or pod.started_at is None or pod.finished:
            return
        if session.pod_uid == UUID(pod.uid) and session.incarnation == pod.incarnation:
            self.world.session = replace(
                session, registration_id=UUID(pod.uid), registered_at=at(self.world.now), state=state, sequence=1
            )

    @rule(number=st.integers(0, 3), code=st.sampled_from([1, 1, 1, 0, None]), disrupted=SELDOM)
    def pod_ends(self, number: int, code: int | None, disrupted: bool) -> None:
        pod = self.pick(number)
        if pod is not None and not pod.finished:
            self.world.pods[pod.name] = replace(
                pod, finished=True, exit_code=code, ended_at=at(self.world.now), disrupted=disrupted
            )

    @rule(number=st.integers(0, 3), at_once=st.booleans())
    def somebody_deletes_a_pod(self, number: int, at_once: bool) -> None:
        pod = self.pick(number)
        if pod is not None and at_once:
            del self.world.pods[pod.name]
        elif pod is not None and pod.gone_by is None:
            self.world.pods[pod.name] = replace(pod, gone_by=at(self.world.now + 30))

    @rule(number=st.integers(0, 3))
    def deleted_pod_is_gone(self, number: int) -> None:
        pod = self.pick(number)
        if pod is not None and pod.gone_by is not None:
            del self.world.pods[pod.name]

    @rule()
    def life_is_silent(self) -> None:
        self.world.silent = (self.world.incarnation, self.world.now)

    @rule(seconds=st.sampled_from([1.0, 11.0, 61.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    # People and the contract

    @rule(suspend=SELDOM)
    def suspend(self, suspend: bool) -> None:
        if suspend != self.world.supervisor.spec.suspend:
            self.world.change_spec(suspend=suspend)

    @rule(paused=SELDOM)
    def pause(self, paused: bool) -> None:
        if status_of(self.world.contract).state not in FINISHED:
            state = ContractState.PAUSED if paused else ContractState.ACTIVE
            self.world.contract = wanting(with_status(self.world.contract, state=state), suspend=paused)

    @rule(state=STATES)
    def contract_goes_on(self, state: ContractState) -> None:
        if status_of(self.world.contract).state in (ContractState.ACTIVE, ContractState.WAITING_FOR_INPUT):
            self.world.contract = with_status(self.world.contract, state=state)

    @rule(offset=st.sampled_from([0, 0, -1]))
    def ask_for_a_restart(self, offset: int) -> None:
        request = RestartRequest(expected_incarnation=max(0, self.world.incarnation + offset))
        self.world.contract = wanting(self.world.contract, restart_supervisor=request)

    @rule(times=st.integers(1, MAX_RESTARTS + 1), code=st.sampled_from([1, 1, 0]))
    def each_life_ends_at_once(self, times: int, code: int) -> None:
        """What spends a budget."""
        for _ in range(times):
            self.rests()
            self.all_pods_end(code)
        self.rests()

    @precondition(lambda self: status_of(self.world.contract).state is ContractState.ACTIVE)
    @rule()
    def it_ends_well_while_a_person_is_asked(self) -> None:
        self.rests()
        self.world.contract = with_status(self.world.contract, state=ContractState.WAITING_FOR_INPUT)
        self.all_pods_end(0)
        self.rests()

    def all_pods_end(self, code: int) -> None:
        for pod in self.world.running():
            self.world.pods[pod.name] = replace(pod, finished=True, exit_code=code, ended_at=at(self.world.now))

    @precondition(lambda self: status_of(self.world.contract).state is ContractState.ACTIVE)
    @rule(really=SELDOM)
    def contract_completes(self, really: bool) -> None:
        if really:
            self.finish(ContractState.COMPLETED)

    @precondition(lambda self: alive_reason(self.world.status) is AliveReason.GIVEN_UP)
    @rule()
    def contract_fails_with_its_supervisor(self) -> None:
        if status_of(self.world.contract).state is not ContractState.FAILED:
            self.finish(ContractState.FAILED)

    def finish(self, state: ContractState) -> None:
        self.world.contract = with_status(self.world.contract, state=state, finished_time=at(self.world.now))

    @precondition(lambda self: status_of(self.world.contract).state is ContractState.FAILED)
    @rule()
    def retry(self) -> None:
        self.world.now += 1
        status = status_of(self.world.contract)
        retried = Transition(
            version=status.version + 1,
            time=at(self.world.now),
            reason="Retried",
            from_state=ContractState.FAILED,
            to_state=ContractState.ACTIVE,
            from_phase=status.phase,
            to_phase=status.phase,
        )
        self.world.contract = with_status(
            self.world.contract,
            state=ContractState.ACTIVE,
            finished_time=None,
            version=status.version + 1,
            transitions=(*status.transitions, retried)[-8:],
        )

    # What has to hold

    @rule()
    def rests(self) -> None:
        """One operator with open eyes: it comes to rest, and what it rests in is right."""
        for _ in range(200):
            if self.look(self.world.seen()):
                continue
            wake = decide_supervisor(self.world.seen()).wake_at
            going = [pod for pod in self.world.pods.values() if pod.gone_by is not None]
            if going:
                del self.world.pods[going[0].name]
            elif wake is not None and wake > at(self.world.now):
                self.world.now = (wake - START + timedelta(seconds=1)).total_seconds()
            else:
                self.rested()
                return
        raise AssertionError(f"no rest: {self.world.status} {self.world.pods}")

    def rested(self) -> None:
        world, demand = self.world, demand_for(self.world.contract, self.world.supervisor)
        reason, running = alive_reason(world.status), world.running()
        given_up = reason is AliveReason.GIVEN_UP
        self.reached.add(demand.name)
        if demand in (PodDemand.SUSPENDED, PodDemand.PAUSED, PodDemand.WAITING, PodDemand.FINISHED):
            assert not running, "a pod that was to be freed is still there"
        left_alone = reason is AliveReason.ENDED and not work_left(world.contract)
        if demand is PodDemand.RUN and not given_up and not left_alone:
            (pod,) = running
            assert (pod.uid, pod.incarnation) == (world.status.pod_uid, world.incarnation)
            assert world.session is not None
            assert world.session.pod_uid == UUID(pod.uid)
            assert not isinstance(decide_supervisor(world.seen()).step, Allocate)
        if given_up:
            assert world.status.state is SupervisorState.FAILED

    @invariant()
    def there_are_never_two_pods_of_the_current_or_a_newer_life(self) -> None:
        if hasattr(self, "world"):
            current = [pod for pod in self.world.pods.values() if pod.incarnation >= self.world.incarnation]
            assert len(current) <= 1

    @invariant()
    def the_budget_is_never_exceeded(self) -> None:
        if hasattr(self, "world"):
            assert (self.world.status.restarts or 0) <= MAX_RESTARTS
