"""What a supervisor does at the API server with credentials of its own: confirm, and get tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.errors import ClusterError, Denied
from makima.sandbox import Sandbox
from makima.supervisor import ServiceAccountToken
from makima.supervisor.confirmation import confirm_advance
from tests.support.kube import Cast, cast


@pytest.fixture
async def people(installed_cluster: Sandbox, admin: Connection, namespace: str) -> AsyncIterator[Cast]:
    """Somebody who may confirm, and somebody who may not; no operator runs."""
    async with cast(installed_cluster, admin, namespace) as them:
        yield them


async def test_who_may_confirm_confirms_exactly_one_version(installed_cluster: Sandbox, people: Cast) -> None:
    await people.accepted("work", phaseGuard=True)
    await people.moved({"state": "Active"})
    allowed = installed_cluster.cluster.kubeconfig_for(people.confirmer.user, ("developers", "leads"))
    with pytest.raises(Denied, match="VERSION_CONFLICT"):
        await confirm_advance(people.namespace, "work", to="execute", expected_version=1, kubeconfig=allowed)
    await confirm_advance(
        people.namespace, "work", to="execute", expected_version=2, reason="read it", kubeconfig=allowed
    )
    advance = (await people.operator.get("work"))["spec"]["advance"]
    assert advance == {"to": "execute", "expectedVersion": 2, "confirmed": True, "force": False, "reason": "read it"}


async def test_a_force_of_an_earlier_request_is_not_confirmed_along(installed_cluster: Sandbox, people: Cast) -> None:
    await people.accepted("work")
    await people.moved({"state": "Active"})
    await people.editor.patch_spec(advance={"to": "execute", "expectedVersion": 2, "force": True, "reason": "hurry"})
    allowed = installed_cluster.cluster.kubeconfig_for(people.confirmer.user, ("developers", "leads"))
    await confirm_advance(people.namespace, "work", to="execute", expected_version=2, kubeconfig=allowed)
    advance = (await people.operator.get("work"))["spec"]["advance"]
    assert advance["force"] is False
    assert advance["confirmed"] is True


async def test_who_may_not_confirm_is_refused(installed_cluster: Sandbox, people: Cast) -> None:
    await people.accepted("work", phaseGuard=True)
    await people.moved({"state": "Active"})
    editor = installed_cluster.cluster.kubeconfig_for(people.editor.user, ("developers",))
    with pytest.raises(Denied, match="UNAUTHORIZED"):
        await confirm_advance(people.namespace, "work", to="execute", expected_version=2, kubeconfig=editor)


async def test_a_token_of_a_service_account_is_for_makima_and_asked_for_once(
    installed_cluster: Sandbox, admin: Connection, namespace: str
) -> None:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    await admin.request("POST", accounts, body={"metadata": {"name": "outside"}})
    credential = ServiceAccountToken(namespace, "outside", installed_cluster.cluster.kubeconfig)
    token = await credential()
    assert token is not None
    claims = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["aud"] == ["makima.dev"]
    assert await credential() == token


async def test_an_account_that_is_not_there_gives_no_token(installed_cluster: Sandbox, namespace: str) -> None:
    credential = ServiceAccountToken(namespace, "nobody", installed_cluster.cluster.kubeconfig)
    with pytest.raises(ClusterError, match="nobody"):
        await credential()
