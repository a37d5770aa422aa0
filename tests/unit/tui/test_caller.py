"""The commands that the monitor shows: of the program it was called by, for the cluster it was called for."""

from __future__ import annotations

from pathlib import Path

import pytest

from makima.cli.contracts.call import Call
from makima.cli.contracts.persona import KUBECTL, MAKIMA, Persona
from makima.cli.contracts.text import Screen
from makima.client import Place
from makima.errors import MakimaError
from makima.tui.source import ContractGone
from tests.support.monitor_seat import at_monitor
from tests.support.monitor_world import PlayedWorld, told

PLACE = Place(Path("k"), "prod", "team-a")
HOW = "--context prod --kubeconfig k"


def caller(program: str) -> Call:
    return Call(Persona(program), PLACE, Screen(), None)


@pytest.mark.parametrize("program", [MAKIMA, KUBECTL])
async def test_commands_are_those_of_whoever_started_it(program: str) -> None:
    async with at_monitor(size=(160, 40), caller=caller(program)) as seat:
        await seat.press("i")
        await seat.sees(f"{program} retry team-a/search-index {HOW}")
        await seat.press("escape")
        seat.app.open_contract(("team-a", "pay-service"))
        await seat.sees(f"{program} answer team-a/pay-service Postgres {HOW}")
        seat.world.tell(ContractGone(("team-a", "pay-service")))
        await seat.sees(f"{program} history team-a/pay-service {HOW}")
    async with at_monitor(PlayedWorld(), size=(160, 40), caller=caller(program)) as seat:
        seat.world.tell(*told([]))
        await seat.sees(f"Make one: {program} create NAME --type simple --namespace team-a {HOW}")


def test_what_to_do_about_an_error_is_for_the_same_cluster() -> None:
    refused = MakimaError("VERSION_CONFLICT: 2, not 3")
    assert f"(kubectl contracts show team-a/b {HOW})" in str(caller(KUBECTL).hint(refused, "team-a/b"))
