"""`logs`: of a supervisor's pod and of its lives before; where there is no pod, what the supervisor said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, Ended, common
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.selecting import contract_argument, one, supervisor_of
from makima.cli.contracts.text import plain, readable
from makima.models.labels import CONTRACT_LABEL, INCARNATION_LABEL, ROLE_LABEL, SUPERVISOR_ROLE

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.api import ApiError
    from makima.models.contract import Contract

JsonObject = dict[str, Any]


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
    that makima saved. With --follow it goes on until the contract is over, or Ctrl-C; each is looked at for more every
    two seconds where it is not a pod's log.
    """
    if conversation and heartbeats:
        raise click.UsageError("--conversation and --heartbeats: give one")

    async def work(person: Person) -> None:
        seen = await one(person, contract)
        if conversation or heartbeats:
            await _saved(person, call, seen, tail, heartbeats=heartbeats, follow=follow)
            return
        pod = await _pod(person, seen, life, previous=previous)
        if pod is not None:
            await _log(person, call, seen, pod, tail, follow=follow)
        elif previous or life is not None:
            text = "the pod of that life is gone, and its log with it"
            raise Ended(text, call.line("contracts", "logs", _key(seen), "--conversation"), Exit.NOT_FOUND)
        else:
            call.screen.note(f"{_key(seen)} has no pod; this is what its supervisor said:")
            await _said(person, call, seen, tail, follow=follow)

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

    from makima.cli.contracts.said import under_way

    while True:
        pods = [pod for pod in await _pods(person, contract) if _life(pod) > life]
        if pods and ((pods[0].get("status") or {}).get("phase") != "Pending"):
            return pods[0]
        if not await under_way(person, contract):
            return None
        await asyncio.sleep(1)


async def _said(person: Person, call: Call, contract: Contract, tail: int | None, *, follow: bool) -> None:
    """The conversation, or where there is none the activity; with `follow` what is new of both."""
    from makima.cli.contracts import said
    from makima.client.api import ApiError

    conversation, activity = said.Conversation(person, contract), said.Activity(person, contract)
    try:
        words = await conversation.new()
        deeds = await activity.new() if follow or not words else []
        said.say(call, words or deeds, tail)
    except ApiError as error:
        await _shown(person, call, contract, error)
    if follow and _has_pods(contract):
        await _wait_for_pod(person, call, contract)
    elif follow:
        await said.follow(person, call, contract, (conversation, activity))


async def _shown(person: Person, call: Call, contract: Contract, error: ApiError) -> None:
    """What the resource alone shows, where makima's API does not answer."""
    supervisor = await supervisor_of(person, contract)
    told = supervisor.status if supervisor is not None else None
    if told is None:
        raise error
    call.screen.note(f"note: {error.message}; this is what the resource shows")
    call.screen.say(plain(f"{told.state}: {told.current_activity or '(no activity told)'}"))


def _has_pods(contract: Contract) -> bool:
    settings = contract.spec.supervisor
    return settings is not None and settings.template is not None


async def _wait_for_pod(person: Person, call: Call, contract: Contract) -> None:
    call.screen.note(f"{_key(contract)} waits for its next pod")
    pod = await _next_pod(person, contract, 0)
    if pod is not None:
        await _log(person, call, contract, pod, None, follow=True)


async def _saved(
    person: Person, call: Call, contract: Contract, tail: int | None, *, heartbeats: bool, follow: bool
) -> None:
    """What is asked for in place of the pod's log."""
    from makima.cli.contracts import said

    source = said.Activity(person, contract) if heartbeats else said.Conversation(person, contract)
    said.say(call, await source.new(), tail)
    if follow:
        await said.follow(person, call, contract, (source,))
