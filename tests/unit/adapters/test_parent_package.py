"""What comes with kubernetes.aio: nothing of the client for threads, until somebody wants that."""

from __future__ import annotations

import subprocess
import sys

import pytest

UNUSED = "[name for name in ('requests', 'oauthlib', 'websocket', 'urllib3') if name in sys.modules]"


@pytest.mark.parametrize("first", ["makima.handlers.embedded", "makima.client.place", "makima.adapters.kubernetes"])
def test_what_nobody_uses_is_not_imported_and_whoever_wants_it_gets_it(first: str) -> None:
    said = (
        f"import sys, {first}",
        "import makima.adapters.kubernetes.configuration",
        f"print({UNUSED})",
        "import kubernetes.config",
        "from kubernetes import client",
        "print(client is kubernetes.client, issubclass(kubernetes.config.ConfigException, Exception))",
        "from kubernetes.aio.client import ApiClient",
        "import kubernetes.aio.dynamic",
        "print(kubernetes.aio.client.ApiClient is ApiClient, kubernetes.aio.client.models.V1Namespace.__name__)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(said)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["[]", "True True", "True V1Namespace"]), done.stderr
