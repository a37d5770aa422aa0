"""Passing a phase guard with one's own Kubernetes credentials: what `kubectl patch` would do.

For a supervisor whose account has the RBAC verb `confirm` on its contract; everybody else is refused by the API server.
"""

from __future__ import annotations

from pathlib import Path


async def confirm_advance(
    namespace: str,
    name: str,
    *,
    to: str,
    expected_version: int,
    reason: str = "",
    kubeconfig: Path | None = None,
    context: str | None = None,
) -> None:
    """Write `spec.advance` with `confirmed: true`, for exactly this version.

    Raises:
        makima.errors.Denied: no permission, or the contract has another version meanwhile.
        makima.errors.ClusterError: the API server did not do it.
    """
    # a second and 50 MB: only for those who use it
    from makima.adapters.kubernetes.configuration import load_configuration  # noqa: PLC0415  # slow, and rarely wanted
    from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection  # noqa: PLC0415  # slow, and rarely wanted

    advance = {
        "to": to,
        "expectedVersion": expected_version,
        "confirmed": True,
        "force": None,
        "reason": reason or None,
    }
    configuration = await load_configuration(kubeconfig, context)
    async with Connection(configuration, "makima-supervisor") as connection:
        await connection.request(
            "PATCH",
            f"/apis/makima.dev/v1alpha1/namespaces/{namespace}/contracts/{name}",
            body={"spec": {"advance": advance}},
            content_type=MERGE_PATCH,
        )
