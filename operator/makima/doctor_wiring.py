"""`makima doctor`, put together: what is asked of cluster and database, and which judgement each answer gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from makima import database
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.schema_check import SchemaTooOld, check_schema
from makima.adapters.kubernetes.self_check import not_allowed, version_and_time
from makima.adapters.postgres.server_time import server_time
from makima.config import Config
from makima.domain.doctor import Finding, judge_clocks, judge_lease, judge_rights, judge_schema, judge_version
from makima.errors import MakimaError, NotFound
from makima.schema import SCHEMA_VERSION
from makima.schema.needed import needed_objects
from makima.schema.rbac import Rule, api_rules, lease_rules, needs_cluster_scope, operator_rules

ACCOUNTS: dict[str, tuple[list[Rule], list[Rule]]] = {
    "operator": (operator_rules(), lease_rules()),
    "api": (api_rules(), []),
}
"""Rules of each account: those where it works, and those of its own namespace."""


class Examination:
    """One visit. What can't be looked at is a finding too, and does not keep it from looking at the rest."""

    def __init__(self, config: Config, account: str | None) -> None:
        self._config, self._account = config, account
        self._offsets: dict[str, timedelta] = {}
        self._cluster_time = datetime.now(UTC)

    async def findings(self) -> AsyncIterator[Finding]:
        """Each as soon as it is made."""
        configuration = await load_configuration(self._config.kubeconfig, self._config.context)
        async with Connection(configuration, "makima-doctor") as connection:
            try:
                yield await self._cluster(connection)
            except MakimaError as error:
                yield Finding("cluster", False, error.message, "is it the right kubeconfig, and is the cluster up?")
                return
            yield await self._schema(connection)
            if self._account is not None:
                yield await self._rights(connection, self._account)
            yield await self._lease(connection)
        if self._config.database_url is not None:
            yield await self._database(self._config.required_database_url())
        else:
            yield Finding("database", False, "none is configured", "set MAKIMA_DATABASE_URL")
        yield judge_clocks(self._offsets)

    async def _cluster(self, connection: Connection) -> Finding:
        major, minor, self._cluster_time = await version_and_time(connection)
        self._offsets["API server"] = self._cluster_time - datetime.now(UTC)
        return judge_version(major, minor)

    async def _schema(self, connection: Connection) -> Finding:
        about = "CRDs and policies"
        try:
            await check_schema(connection, needed_objects(), SCHEMA_VERSION)
        except SchemaTooOld as error:
            return Finding(about, False, error.message, "helm upgrade with crds.install, or makima install")
        except MakimaError as error:
            return Finding(about, False, error.message, "an account that may read CRDs and policies sees more")
        return Finding(about, True, f"each is of edition {SCHEMA_VERSION} or newer")

    async def _rights(self, connection: Connection, account: str) -> Finding:
        work, home = ACCOUNTS[account]
        options = self._config.operator
        try:
            missing = await not_allowed(connection, [rule for rule in work if needs_cluster_scope(rule)], None)
            for namespace in options.namespaces or (None,):
                missing += await not_allowed(connection, _held_by_roles(work), namespace)
            missing += await not_allowed(connection, home, options.lease_namespace)
        except MakimaError as error:
            return Finding(f"rights of {account}", False, error.message, "try again")
        return judge_rights(account, missing)

    async def _lease(self, connection: Connection) -> Finding:
        options = self._config.operator
        path = f"/apis/coordination.k8s.io/v1/namespaces/{options.lease_namespace}/leases/{options.lease_name}"
        try:
            spec = (await connection.request("GET", path)).get("spec") or {}
        except NotFound:
            spec = {}
        except MakimaError as error:
            return Finding(
                "lease", False, error.message, f"name it: MAKIMA_OPERATOR__LEASE_NAMESPACE; {error.hint or ''}"
            )
        renewed = spec.get("renewTime")
        return judge_lease(
            spec.get("holderIdentity") or "",
            datetime.fromisoformat(renewed) if renewed else None,
            float(spec.get("leaseDurationSeconds") or options.lease_duration_seconds),
            self._cluster_time,
        )

    async def _database(self, url: str) -> Finding:
        try:
            self._offsets["Postgres"] = await server_time(url) - datetime.now(UTC)
            return judge_schema(await asyncio.to_thread(database.schema_status, url))
        except MakimaError as error:
            return Finding(
                "database", False, error.message, error.hint or "is MAKIMA_DATABASE_URL right, and is it up?"
            )


def _held_by_roles(rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if not needs_cluster_scope(rule)]


async def examine(config: Config, account: str | None) -> AsyncIterator[Finding]:
    """Look at everything.

    Args:
        account: `operator` or `api`, if the caller is one of these and its rights are to be looked at.

    Raises:
        MakimaError: there is no kubeconfig to begin with.
    """
    async for finding in Examination(config, account).findings():
        yield finding
