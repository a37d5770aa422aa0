"""What `makima.supervisor` offers is there by name, and costs nothing before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import makima.supervisor


@pytest.mark.parametrize("name", makima.supervisor.__all__)
def test_every_public_name_is_found(name: str) -> None:
    assert getattr(makima.supervisor, name).__name__ == name


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Supervisors'"):
        _ = makima.supervisor.Supervisors  # type: ignore[attr-defined]


def test_an_agents_tools_start_without_the_client() -> None:
    code = "import sys, makima.supervisor.tools.mcp_server; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
