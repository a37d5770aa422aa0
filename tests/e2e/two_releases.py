"""Two releases of makima on one node: how one gets to the other, and which of them is at work."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import psycopg

from makima.sandbox.image.makima_image import image_name
from makima.schema import SCHEMA_VERSION_ANNOTATION
from tests.e2e.previous import Previous
from tests.e2e.release import ROOT, SYSTEM, Release
from tests.support.helm import CHART

CRD = "customresourcedefinition/contracts.makima.dev"


def install_previous(release: Release, previous: Previous, verb: str, *more: str) -> None:
    """Install the previous release, or go back to it."""
    command = (verb, "makima", str(previous.chart), "-n", SYSTEM, "--wait", "--timeout=10m")
    chosen = ("--set", f"database.existingSecret.name=makima-database,image.tag={previous.image.rpartition(':')[2]}")
    try:
        release.helm.run(*command, *chosen, *more, seconds=660)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{release.words()}") from None


def upgrade(release: Release, *more: str) -> None:
    """As docs/operations/upgrade.md says it."""
    text = (ROOT / "docs" / "operations" / "upgrade.md").read_text()
    said = re.findall(r"^\$ helm (upgrade .*)$", text, re.MULTILINE)[0].split()
    command = [str(CHART) if part == "helm/makima" else part for part in said]
    try:
        release.helm.run(*command, "--timeout=10m", *more, seconds=660)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{release.words()}") from None


def images(release: Release) -> set[str]:
    """Of all pods of operator and API service."""
    pods = [pod for component in ("operator", "api") for pod in release.pods(component)]
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


def edition(release: Release) -> str:
    """Of the CRDs that are there."""
    found: str = release.system.get(*CRD.split("/"))["metadata"]["annotations"][SCHEMA_VERSION_ANNOTATION]
    return found


def leader(release: Release) -> str:
    """Image of the pod that leads; its name is the first part of the Lease's holder."""
    holder = release.system.get("lease", "makima-operator")["spec"]["holderIdentity"]
    return next(
        (
            pod["spec"]["containers"][0]["image"]
            for pod in release.pods("operator")
            if holder.startswith(pod["metadata"]["name"])
        ),
        f"nobody of {holder!r}",
    )


def simple_contract_is_carried(release: Release, name: str) -> None:
    """From nothing to Completed, by whoever leads."""
    body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Contract", "metadata": {"name": name}}
    release.work.apply({**body, "spec": {"type": "simple"}})
    release.until_state(name, "Created", "plan")
    reported = [{"phase": "plan", "id": "plan-document"}, {"phase": "execute", "id": "pull-request"}]
    release.work.run("patch", "contract", name, "--type=merge", "-p", json.dumps({"spec": {"deliverables": reported}}))
    release.until_state(name, "Completed")
    release.assert_history(name)


def migration(release: Release) -> str:
    """Where the history's schema is."""
    return str(release.query("SELECT version_num FROM makima_migrations")[0][0])


def newer_operator(release: Release) -> dict[str, Any]:
    """An operator of this version beside those of the previous release, which waits for the same Lease."""
    found = release.system.get("deployment", "makima-operator")
    template = found["spec"]["template"]
    labels = {"app.kubernetes.io/component": "newer"}
    template["metadata"] = {"labels": labels}
    template["spec"]["containers"][0]["image"] = image_name()
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "newer-operator"}, "spec": spec}


def said(release: Release, component: str) -> str:
    """What the operators of this component say, and said before they were started again."""
    told = ""
    for pod in release.pods(component):
        for more in ((), ("--previous",)):
            with suppress(AssertionError):  # not started yet, or never again
                told += release.system.run("logs", pod["metadata"]["name"], "-c", "operator", "--tail=-1", *more)
    return told


def set_migration(release: Release, number: str) -> None:
    """Say that it is somewhere else; the tables stay."""
    with psycopg.connect(release.sandbox.database.url) as connection:
        connection.execute("UPDATE makima_migrations SET version_num = %s", (number,))


def apply_newer_rules(release: Release) -> None:
    """CRDs and policies of this version alone, as an administrator's release would bring them."""
    files = [*CHART.glob("templates/crds/*.yaml"), *CHART.glob("templates/policies/*.yaml")]
    shown = [str(path.relative_to(CHART)) for path in sorted(files)]
    options = [part for name in shown for part in ("--show-only", name)]
    text = release.helm.run(
        "template", "makima", str(CHART), "-n", SYSTEM, "--set", "database.existingSecret.name=any", *options
    )
    release.system.run(
        "apply", "--server-side", "--force-conflicts", "--field-manager=helm", "-f", "-", given=text, seconds=120
    )
