"""From the previous release to this one and back on a real node, each by itself first, then all at once under load.

The tests of this file are the life of one release and run in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from makima.sandbox.image.makima_image import image_name
from makima.schema import SCHEMA_VERSION
from tests.e2e.load import assert_nothing_lost_or_doubled, load
from tests.e2e.previous import EDITION, MIGRATION, Previous, previous_release
from tests.e2e.release import ROOT, SYSTEM, WORK, Release, node_for_a_release
from tests.e2e.two_releases import (
    apply_newer_rules,
    edition,
    images,
    install_previous,
    leader,
    migration,
    newer_operator,
    said,
    set_migration,
    simple_contract_is_carried,
    upgrade,
)

pytestmark = [pytest.mark.timeout(1800), pytest.mark.exhaustive]

EXAMPLE = ROOT / "examples" / "runbook" / "contract.yaml"
NEW_MIGRATION = max(
    path.name[:4] for path in (ROOT / "operator/makima/adapters/postgres/migrations/versions").glob("*.up.sql")
)


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Previous:
    """Chart and image of the previous release."""
    return previous_release(tmp_path_factory.mktemp("previous"))


@pytest.fixture(scope="module")
def release(previous: Previous, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A node with both images and the previous release; people, and a runbook in a pod."""
    with node_for_a_release("upgrade-e2e", tmp_path_factory.mktemp("upgrade")) as found:
        assert found.sandbox.node is not None
        found.sandbox.node.load(previous.archive)
        found.prepare()
        found.work.run("create", "rolebinding", "ravi", "--clusterrole=makima-confirm", "--user=ravi")
        install_previous(found, previous, "install")
        yield found


def test_the_previous_release_is_what_it_is_taken_for(release: Release, previous: Previous) -> None:
    text = EXAMPLE.read_text().replace(image_name(), previous.image)
    release.work.run("apply", "-f", "-", given=text)
    release.until_state("runbook", "WaitingForInput", "check")
    assert images(release) == {previous.image}
    assert (edition(release), migration(release)) == (EDITION, MIGRATION)
    assert int(EDITION) < SCHEMA_VERSION
    simple_contract_is_carried(release, "before")


def test_a_new_operator_does_not_lead_on_older_crds_and_the_old_ones_go_on(
    release: Release, previous: Previous
) -> None:
    release.system.apply(newer_operator(release))
    wanted = f"needs edition {SCHEMA_VERSION}"
    release.until("the new operator's refusal", lambda: wanted in said(release, "newer"))
    simple_contract_is_carried(release, "on-older-crds")
    release.kill_processes("operator")  # nobody leads now: whoever may takes over
    simple_contract_is_carried(release, "with-the-lease-free")
    assert leader(release) == previous.image
    assert "leading as" not in said(release, "newer")
    release.system.run("delete", "deployment", "newer-operator", "--cascade=foreground", "--timeout=60s", seconds=90)


def test_old_operators_work_under_new_crds_and_policies(release: Release, previous: Previous) -> None:
    apply_newer_rules(release)
    assert edition(release) == str(SCHEMA_VERSION)
    simple_contract_is_carried(release, "under-new-policies")
    release.kill_processes("operator")
    simple_contract_is_carried(release, "after-a-restart")
    assert leader(release) == previous.image
    release.pass_guards(release.person("ravi"), "runbook", ("check", "change"))
    release.until_state("runbook", "WaitingForInput", "change")


def test_rolling_upgrade_under_load_loses_and_doubles_nothing(
    release: Release, previous: Previous, measured: Callable[[str], None]
) -> None:
    before = release.work.get("pod", "runbook-1")["metadata"]["uid"]
    with load(release, "up") as found:
        upgrade(release, "--set", "image.tag=")
        release.until("new pods alone", lambda: images(release) == {image_name()})
    told = assert_nothing_lost_or_doubled(release, found)
    assert (edition(release), migration(release)) == (str(SCHEMA_VERSION), NEW_MIGRATION)
    assert leader(release) == image_name()
    assert release.work.get("pod", "runbook-1")["metadata"]["uid"] == before, "the supervisor's pod was not left alone"
    measured(f"upgrade from {EDITION}/{MIGRATION}: {told}")


def test_helm_rollback_goes_back_under_a_schema_that_is_newer(release: Release) -> None:
    known = migration(release)
    upgrade(release, "--set", "config.contracts.stale_threshold_minutes=7")
    set_migration(release, "9999")  # as the release that is left would have done
    release.helm.run("rollback", "makima", "-n", SYSTEM, "--wait", "--timeout=10m", seconds=660)
    settings = release.system.run("get", "configmap", "makima-config", "-o", "jsonpath={.data.makima\\.toml}")
    assert "stale_threshold_minutes" not in settings
    simple_contract_is_carried(release, "after-the-rollback")
    api = release.pods("api")[0]["metadata"]["name"]
    assert "the schema is at 9999, newer than this makima" in release.system.run("logs", api, "-c", "migrate")
    set_migration(release, known)


def test_the_way_back_under_load_loses_and_doubles_nothing(
    release: Release, previous: Previous, measured: Callable[[str], None]
) -> None:
    with load(release, "back") as found:
        install_previous(release, previous, "upgrade", "--set", "migrations.enabled=false")
        release.until("old pods alone", lambda: images(release) == {previous.image})
    told = assert_nothing_lost_or_doubled(release, found)
    assert (edition(release), migration(release)) == (EDITION, NEW_MIGRATION), "the schema stays"
    release.pass_guards(release.person("ravi"), "runbook", ("change", "verify"), ("verify", "Completed"))
    release.assert_history("runbook")
    assert release.work.get("supervisor", "runbook")["status"]["podName"] == "runbook-1"
    measured(f"the way back: {told}")


def test_what_was_made_on_both_sides_is_deleted(release: Release) -> None:
    release.helm.run("uninstall", "makima", "-n", SYSTEM, "--wait", "--timeout=10m", seconds=660)
    release.system.run("delete", "namespace", WORK, "--timeout=300s", seconds=330)
