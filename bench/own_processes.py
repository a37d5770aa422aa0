"""Processes of the bench's own, `python -m MODULE FILE`: a plan in a file, and what they print about it as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.contenders.processes import ROOT
from bench.deadlines import BenchError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


async def told(module: str, file: Path, plan: DataclassInstance, seconds: float) -> Any:
    """What the module says once it has carried out the plan, which is written into the file.

    Raises:
        BenchError: it failed, or took longer than so many seconds; it is ended then.
    """
    await asyncio.to_thread(plan_file, file, plan)
    return json.loads(await _output_of([sys.executable, "-m", module, str(file)], seconds))


def plan_file(file: Path, plan: DataclassInstance) -> Path:
    """The file with the plan in it, for this user's eyes only: there are tokens in it, or a password."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(plan)))
    return file


def environment() -> dict[str, str]:
    """This process's, in which `bench` can be imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}


async def _output_of(command: list[str], seconds: float) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, error = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        raise BenchError(f"{' '.join(command[:4])} did not end within {seconds:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise BenchError(f"{' '.join(command[:4])} failed: {error.decode()[-2000:]}")
    return out.decode()
