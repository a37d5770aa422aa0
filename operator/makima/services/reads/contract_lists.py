"""Lists of contracts from the projection: what the caller may see, and how new it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from makima.contract_stores import ContractLists as Store
from makima.domain.reconcile.states import legacy_status
from makima.domain.settings import Settings
from makima.models.contract_filter import ContractFilter
from makima.models.enums import ContractState, LegacyStatus
from makima.models.wire.contracts import ContractPage, Projection
from makima.models.wire.problem import Code
from makima.ports import Clock
from makima.services.access.identity import Identity
from makima.services.access.visibility import Scope, Visibility
from makima.services.reads import cursor
from makima.services.reads.contract_views import STATES, summary_of_row
from makima.services.refusals import refusal


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters as callers say them; see `makima.models.contract_filter.ContractFilter`.

    Attributes:
        statuses: states, or with `enhanced_contract_status` off the three old statuses.
        waiting: those that wait for input.
        labels: `key=value` each.
    """

    statuses: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    name: str | None = None
    stale: bool = False
    threshold: timedelta | None = None
    waiting: bool = False
    gone: bool = False


class ContractLists:
    """Pages, newest first."""

    def __init__(self, store: Store, visibility: Visibility, settings: Settings, clock: Clock) -> None:
        self._store, self._visibility, self._settings, self._clock = store, visibility, settings, clock

    async def page(self, identity: Identity, wanted: Wanted, text: str | None, limit: int) -> ContractPage:
        """A page.

        Raises:
            Refused: VALIDATION_FAILED, a filter or the cursor is of no use; FORBIDDEN, a namespace that is named.
            HistoryUnavailable: Postgres is away.
        """
        now = self._clock.now()
        query = {name: getattr(wanted, name) for name in Wanted.__slots__} | {"list": "contracts", "of": identity.user}
        after = cursor.decode(text, query, now)
        found = self._filter(wanted, await self._scope(identity, wanted))
        if found.namespaces is not None and not found.namespaces:
            return ContractPage(contracts=(), projection=await self._projection())
        page = await self._store.page(found, after, limit, now)
        return ContractPage(
            contracts=tuple(summary_of_row(one.row, self._settings, stale=one.stale) for one in page.contracts),
            next_cursor=cursor.encode(page.next, query, now) if page.next is not None else None,
            projection=await self._projection(),
        )

    async def _scope(self, identity: Identity, wanted: Wanted) -> Scope:
        """Who names a namespace is told that it is not theirs; who names none sees those that are."""
        scope = await self._visibility.scope(identity, "list", frozenset(wanted.namespaces))
        hidden = [name for name in wanted.namespaces if not scope.admits(name)]
        if hidden:
            raise refusal(
                Code.FORBIDDEN,
                f"{identity.user} may not list contracts in namespace {hidden[0]}",
                field="namespace",
                hint="bind a role that may, for example makima-view; without namespace=… the list has what you may see",
            )
        return scope

    def _filter(self, wanted: Wanted, scope: Scope) -> ContractFilter:
        return ContractFilter(
            usual_threshold_seconds=self._settings.stale_threshold.total_seconds(),
            namespaces=None if scope.everywhere else scope.namespaces,
            statuses=self._statuses(wanted),
            phases=wanted.phases,
            types=wanted.types,
            name=wanted.name,
            labels=dict(_label(text) for text in wanted.labels),
            stale=wanted.stale,
            threshold_seconds=wanted.threshold.total_seconds() if wanted.threshold is not None else None,
            gone=wanted.gone,
        )

    def _statuses(self, wanted: Wanted) -> tuple[str, ...] | None:
        states = {state for text in wanted.statuses for state in self._states(text)} if wanted.statuses else None
        if wanted.waiting:
            waiting = {ContractState.WAITING_FOR_INPUT}
            states = waiting if states is None else states & waiting
        return None if states is None else tuple(sorted(state.snake for state in states))

    def _states(self, text: str) -> set[ContractState]:
        if self._settings.enhanced_status and text in STATES:
            return {STATES[text]}
        old = {state for state in ContractState if legacy_status(state).snake == text}
        if not old or self._settings.enhanced_status:
            known = STATES if self._settings.enhanced_status else [word.snake for word in LegacyStatus]
            raise refusal(
                Code.VALIDATION_FAILED,
                f"status: {text[:64]!r} is none",
                field="status",
                hint=f"it is one of {', '.join(known)}",
            )
        return old

    async def _projection(self) -> Projection:
        caught_up = await self._store.caught_up_at()
        lag = max(0.0, (self._clock.now() - caught_up).total_seconds()) if caught_up is not None else None
        return Projection(recorded_at=caught_up, lag_seconds=lag)


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise refusal(
            Code.VALIDATION_FAILED, f"label: {text[:64]!r} is not key=value", field="label", hint="label=team=blue"
        )
    return key, value
