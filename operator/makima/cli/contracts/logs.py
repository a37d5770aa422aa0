"""`logs`: of a supervisor's pod and of its lives before; where there is no pod, what the supervisor said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, Ended, common
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.selecting import contract_argument, one, supervisor_of
from makima.cli.contracts.text import plain, readable
from makima.cli.times import utc
from makima.models.labels import CONTRACT_LABEL, INCARNATION_LABEL, ROLE_LABEL, SUPERVISOR_ROLE

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract

JsonObject = dict[str, Any]
PAGE = 100


@click.command("logs")
@contract_argument
@click.option("-f", "--follow", is_flag=True, help="Go on as it is written, from life to life.")
@click.option("-p", "--previous", is_flag=True, help="Of the life before, where its pod is still there.")
@click.option("--life", type=click.IntRange(min=1), help="Of this life (the supervisor's incarnation).")
@click.option("--tail", type=click.IntRange(min=0), default=None, help="Only the last lines. Default: all.")
@click.option("--conversation", is_flag=True, help="The saved conversation instead of the pod's log.")
@click.option("--heartbeats", is_flag=True, help="The activity that its heartbeats told instead (of 24 hours).")
@common
def command(
    call: Call,
    *,
    contract: str,
    follow: bool,
    previous: bool,
    life: int | None,
    tail: int | None,
    conversation: bool,
    heartbeats: bool,
) -> None:
    """Show the log of a contract's supervisor.

    Of its pod, or, where it has none (an external supervisor, a pod that is gone), the conversation and the activity
    that makima saved.
    """

    async def work(person: Person) -> None:
        seen = await one(person, contract)
        if conversation or heartbeats:
            await (_heartbeats if heartbeats else _conversation)(person, call, seen, tail)
            return
        pod = await _pod(person, seen, life, previous=previous)
        if pod is not None:
            await _log(person, call, seen, pod, tail, follow=follow)
        elif previous or life is not None:
            text = "the pod of that life is gone, and its log with it"
            raise Ended(text, call.line("contracts", "logs", _key(seen), "--conversation"), Exit.NOT_FOUND)
        else:
            call.screen.note(f"{_key(seen)} has no pod; this is what its supervisor said:")
            await _said(person, call, seen, tail)

    call.run(work, watching=follow)


def _key(contract: Contract) -> str:
    return f"{contract.metadata.namespace}/{contract.metadata.name}"


async def _pods(person: Person, contract: Contract) -> list[JsonObject]:
    selector = f"{CONTRACT_LABEL}={contract.metadata.name},{ROLE_LABEL}={SUPERVISOR_ROLE}"
    found = await person.cluster.pods(contract.metadata.namespace, selector)
    return sorted(found, key=_life)


def _life(pod: JsonObject) -> int:
    text = (pod["metadata"].get("labels") or {}).get(INCARNATION_LABEL, "")
    return int(text) if text.isdigit() else 0


async def _pod(person: Person, contract: Contract, life: int | None, *, previous: bool) -> JsonObject | None:
    pods = await _pods(person, contract)
    supervisor = await supervisor_of(person, contract)
    told = supervisor.status if supervisor is not None else None
    current = (told.incarnation or 0) if told is not None else 0
    if previous or life is not None:
        before = [pod for pod in pods if (_life(pod) == life if life is not None else _life(pod) < current)]
        return before[-1] if before else None
    return pods[-1] if pods else None


async def _log(
    person: Person, call: Call, contract: Contract, pod: JsonObject, tail: int | None, *, follow: bool
) -> None:
    container = pod["spec"]["containers"][0]["name"]
    query = {"container": container, **({"tailLines": str(tail)} if tail is not None else {})}
    while True:
        name = pod["metadata"]["name"]
        async for line in person.cluster.log(
            contract.metadata.namespace, name, **query, **({"follow": "true"} if follow else {})
        ):
            call.screen.say(readable(line))
        following = await _next_pod(person, contract, _life(pod)) if follow else None
        if following is None:
            return
        pod, query = following, {"container": container}
        call.screen.note(f"life {_life(pod)} begins: pod {pod['metadata']['name']}")


async def _next_pod(person: Person, contract: Contract, life: int) -> JsonObject | None:
    """The pod of a later life, waited for while the contract is under way."""
    import asyncio

    from makima.domain.reconcile.states import FINISHED
    from makima.errors import ClusterError

    while True:
        pods = [pod for pod in await _pods(person, contract) if _life(pod) > life]
        if pods and ((pods[0].get("status") or {}).get("phase") != "Pending"):
            return pods[0]
        try:
            seen = await one(person, _key(contract))
        except ClusterError:
            return None
        if seen.status is None or seen.status.state in FINISHED:
            return None
        await asyncio.sleep(1)


async def _said(person: Person, call: Call, contract: Contract, tail: int | None) -> None:
    from makima.client.api import ApiError

    try:
        if not await _conversation(person, call, contract, tail):
            await _heartbeats(person, call, contract, tail)
    except ApiError as error:
        supervisor = await supervisor_of(person, contract)
        told = supervisor.status if supervisor is not None else None
        if told is None:
            raise
        call.screen.note(f"note: {error.message}; this is what the resource shows")
        call.screen.say(plain(f"{told.state}: {told.current_activity or '(no activity told)'}"))


async def _conversation(person: Person, call: Call, contract: Contract, tail: int | None) -> bool:
    """The saved conversation; whether there is any."""
    path = person.api.contract(contract.metadata.namespace, contract.metadata.name, "supervisor/messages")
    after, messages = 0, list[JsonObject]()
    while True:
        page = (await person.api.get(path, after=str(after), limit=str(PAGE))).get("messages") or []
        if not page:
            break
        messages += page
        after = max(int(message["sequence"]) for message in page)
    for message in messages[-tail:] if tail is not None else messages:
        call.screen.say(plain(f"{message['sequence']} {message.get('role', '')}: {_content(message)}"))
    return bool(messages)


def _content(message: JsonObject) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    import json

    return json.dumps(content, ensure_ascii=False)


async def _heartbeats(person: Person, call: Call, contract: Contract, tail: int | None) -> bool:
    """What its heartbeats told, oldest first; whether there are any."""
    path = person.api.contract(contract.metadata.namespace, contract.metadata.name, "supervisor/heartbeats")
    wanted = min(1000, tail) if tail else 1000
    beats = (await person.api.get(path, limit=str(wanted))).get("heartbeats") or []
    last = None
    for beat in reversed(beats):
        said = (beat.get("state"), beat.get("activity"), beat.get("progress"))
        if said != last:
            call.screen.say(plain(f"{utc(str(beat['timestamp']))} {said[0]} {said[2]}%: {said[1]}"))
        last = said
    return bool(beats)
