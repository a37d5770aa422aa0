"""Events are sent in the background, and give way to contracts that wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from makima.adapters.kubernetes import events as module
from makima.adapters.kubernetes.events import WORKERS, KubernetesEvents
from makima.domain.notices import Notice
from makima.domain.reasons import EventReason

CONTRACT = {"metadata": {"uid": "u", "name": "a", "namespace": "ns"}}


class Sink:
    """What the API server was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def request(self, method: str, path: str, **_: Any) -> None:
        self.sent.append(f"{method} {path.rpartition('/')[2]}")


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def events(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> KubernetesEvents:
    monkeypatch.setattr(module, "GIVE_WAY", 3600.0)
    found = KubernetesEvents(sink, "tests")  # type: ignore[arg-type]
    for number in range(10):
        found.publish(CONTRACT, Notice(EventReason.PAUSED, f"text {number}"), datetime.now(UTC))
    return found


@pytest.mark.parametrize(("contracts_wait", "sent"), [(False, 10), (True, 0)])
async def test_they_wait_while_contracts_do(
    events: KubernetesEvents, sink: Sink, contracts_wait: bool, sent: int
) -> None:
    events.contracts_wait = lambda: contracts_wait
    events.start()
    await settle()
    assert len(sink.sent) == sent
    await events.close(seconds=0)


async def test_they_go_on_once_no_contract_waits(
    events: KubernetesEvents, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GIVE_WAY", 0.0)
    waits = iter([True] * WORKERS)
    events.contracts_wait = lambda: next(waits, False)
    events.start()
    await events.close()
    assert sink.sent == ["POST events"] * 10
