"""What makima's stream and a watch of Kubernetes both tell of supervisors comes once, in whichever order they tell."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.client.stream import Frame
from makima.client.supervisor_states_told import REMEMBERED, SupervisorStatesTold
from makima.client.told_once import ToldOnce


def in_state(state: str, contract: str = "pay") -> Frame:
    return {"type": "SupervisorStateChanged", "contract_id": contract, "old_state": "?", "new_state": state}


def told(*says: str) -> list[str]:
    """Of `watch:state` and `stream:state`, those that come; `stream goes on` and `missed` as they are."""
    once, came = ToldOnce(), []
    for said in says:
        who, _, state = said.partition(":")
        match who:
            case "stream goes on":
                once.stream_goes_on()
            case "missed":
                once.by_stream({"type": "Missed", "from_seq": 1, "to_seq": 9})
            case "watch" if once.by_watch(in_state(state)):
                came.append(said)
            case "stream" if once.by_stream(in_state(state)):
                came.append(said)
    return came


@pytest.mark.parametrize(
    ("says", "comes"),
    [
        pytest.param(["watch:working", "stream:working"], ["watch:working"], id="the stream tells it after the watch"),
        pytest.param(
            ["stream:working", "watch:working"], ["stream:working"], id="the resource is written after the history"
        ),
        pytest.param(
            ["watch:idle", "stream:working", "stream:idle", "stream:working"],
            ["watch:idle", "stream:working", "stream:working"],
            id="what was over between two looks comes from the stream",
        ),
        pytest.param(
            ["watch:working", "watch:idle", "watch:working", "stream:working", "stream:idle", "stream:working"],
            ["watch:working", "watch:idle", "watch:working"],
            id="a state that it came back to",
        ),
        pytest.param(
            ["watch:working", "stream goes on", "stream:idle", "stream:working"],
            ["watch:working", "stream:idle", "stream:working"],
            id="a stream that begins later tells its own",
        ),
        pytest.param(
            ["watch:working", "missed", "stream:idle", "stream:working"],
            ["watch:working", "stream:idle", "stream:working"],
            id="a stream that left something out",
        ),
    ],
)
def test_a_state_comes_once(says: list[str], comes: list[str]) -> None:
    assert told(*says) == comes


def test_supervisors_do_not_mix() -> None:
    once = ToldOnce()
    assert once.by_watch(in_state("working", "one"))
    assert once.by_stream(in_state("working", "other"))


@given(st.lists(st.sampled_from(["working", "idle", "blocked"]), max_size=30), st.data())
def test_of_any_states_none_is_lost_and_none_comes_twice(walk: list[str], data: st.DataObject) -> None:
    """The stream tells all; the watch, while that is away, any of them that differ from the one before."""
    states = [state for before, state in pairwise(["", *walk]) if state != before]
    first = data.draw(st.integers(0, len(states)))
    looks = sorted(data.draw(st.sets(st.integers(first, max(first, len(states) - 1)), max_size=len(states))))
    memory, came = SupervisorStatesTold(), list[int]()
    for number in range(first):
        came += [number] if memory.by_stream("pay", states[number]) else []
    seen = states[first - 1] if first else ""
    for number in looks if first < len(states) else ():
        if states[number] != seen:  # the watch itself sees no change otherwise
            came += [number] if memory.by_watch("pay", states[number]) else []
            seen = states[number]
    for number in range(first, len(states)):
        came += [number] if memory.by_stream("pay", states[number]) else []
    assert len(came) == len(states), f"{[states[number] for number in came]} of {states}"


def test_what_is_remembered_is_bounded() -> None:
    memory = SupervisorStatesTold()
    assert all(memory.by_stream(str(number), "idle") for number in range(REMEMBERED + 1))
    assert memory.by_watch("0", "idle"), "the oldest is forgotten"
    assert not memory.by_watch(str(REMEMBERED), "idle")
