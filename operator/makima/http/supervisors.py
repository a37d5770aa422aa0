"""Supervisors: registering, saving, coming back, commands, and what people read (ADR 0006, "Calls")."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from makima.http.addressed import addressed_uid
from makima.http.caller import Caller, calling
from makima.http.strict_route import StrictRoute
from makima.http.use_cases import SupervisorCalls, UseCases
from makima.models.wire.commands import Acknowledge, CommandList
from makima.models.wire.memory import AppendMessages, SaveCheckpoint, Saved, SaveState
from makima.models.wire.reading import HeartbeatHistory, SupervisorReport, Synced
from makima.models.wire.registration import ConversationPage, Register, Registered, Restoration
from makima.services.access.identity import Identity
from makima.services.access.person import Person
from makima.services.supervisor_calls.memory import PAGE

ROOT = "/api/v1/contracts/{contract_id}/supervisor"
READ = "/api/v1/contracts/{id}/supervisor"
LONGEST_POLL = 60.0
LONGEST_SYNC = 30.0


def life_routes(use: SupervisorCalls) -> APIRouter:
    """What a supervisor itself calls, but for its reports about the contract."""
    router = APIRouter(tags=["supervisors"])
    caller = Depends(Caller(lambda: use.authentication))

    @router.post("/api/v1/supervisors/register", operation_id="register_supervisor")
    async def register(call: Register, who: Identity = caller) -> Registered:
        """Begin a life, and get what it needs to go on where the one before it was."""
        return await use.sessions.register(who, call)

    @router.put(f"{ROOT}/state", operation_id="save_state")
    async def save_state(contract_id: UUID, call: SaveState, who: Identity = caller) -> Saved:
        """Save the state; acknowledged once it is committed."""
        return await use.memory.save_state(who, contract_id, call)

    @router.post(f"{ROOT}/messages", operation_id="append_messages")
    async def append_messages(contract_id: UUID, call: AppendMessages, who: Identity = caller) -> Saved:
        """Append to the conversation."""
        return await use.memory.append_messages(who, contract_id, call)

    @router.post(f"{ROOT}/checkpoints", operation_id="save_checkpoint")
    async def save_checkpoint(contract_id: UUID, call: SaveCheckpoint, who: Identity = caller) -> Saved:
        """Save a state to go back to."""
        return await use.memory.save_checkpoint(who, contract_id, call)

    @router.get(f"{ROOT}/commands", operation_id="get_commands")
    async def commands(
        contract_id: UUID,
        wait: Annotated[float, Query(ge=0, le=LONGEST_POLL, description="Seconds to wait for the first one.")] = 0,
        who: Identity = caller,
    ) -> CommandList:
        """Commands that are not acknowledged yet; with `wait`, a long poll."""
        await use.rights.reader(who, contract_id)
        return CommandList(commands=await use.commands.poll(contract_id, wait))

    @router.post(f"{ROOT}/commands/acknowledge", operation_id="acknowledge_commands")
    async def acknowledge(contract_id: UUID, call: Acknowledge, who: Identity = caller) -> CommandList:
        """These were carried out; the answer has what is left."""
        await use.rights.carrier(who, contract_id, call.incarnation)
        await use.commands.acknowledge(contract_id, call.incarnation, call.command_ids)
        return CommandList(commands=await use.commands.poll(contract_id, 0))

    return router


def reading_routes(use: UseCases) -> APIRouter:
    """What people read, and supervisors about themselves."""
    router = APIRouter(tags=["supervisors"], route_class=StrictRoute)
    caller = Depends(calling)
    addressed = Depends(addressed_uid(use))

    def supervision() -> SupervisorCalls:
        assert use.supervision is not None, "these routes are there with supervisors only"
        return use.supervision

    @router.get(f"{READ}/restoration", operation_id="get_restoration")
    async def restoration(contract_id: UUID = addressed, who: Person = caller) -> Restoration:
        """How the next life would come back, decided anew."""
        return await supervision().sessions.restoration(await use.rights.reader(who.identity, contract_id))

    @router.get(f"{READ}/messages", operation_id="get_messages")
    async def messages(
        contract_id: UUID = addressed,
        after: Annotated[int, Query(ge=0, le=2**53, description="Sequence of the last message already known.")] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
        who: Person = caller,
    ) -> ConversationPage:
        """The conversation, oldest first; fewer than `limit` where they are long, none at its end."""
        return ConversationPage(messages=await supervision().memory.messages(who.identity, contract_id, after, limit))

    @router.get(f"{READ}/status", operation_id="get_supervisor_status")
    async def status(contract_id: UUID = addressed, who: Person = caller) -> SupervisorReport:
        """How the supervisor is, as of its newest heartbeat."""
        return await supervision().reads.status(who.identity, contract_id)

    @router.get(f"{READ}/heartbeats", operation_id="get_heartbeats")
    async def heartbeats(
        contract_id: UUID = addressed, limit: Annotated[int, Query(ge=1, le=1000)] = 10, who: Person = caller
    ) -> HeartbeatHistory:
        """The newest heartbeats of the last 24 hours, newest first."""
        return await supervision().reads.heartbeats(who.identity, contract_id, limit)

    @router.post(f"{READ}/sync", operation_id="sync_supervisor")
    async def sync(
        contract_id: UUID = addressed,
        wait: Annotated[float, Query(ge=0, le=LONGEST_SYNC, description="Seconds to wait for the report.")] = 5,
        who: Person = caller,
    ) -> Synced:
        """Tell the supervisor to report now, and wait for it."""
        return await supervision().reads.sync(who.identity, contract_id, wait)

    return router
