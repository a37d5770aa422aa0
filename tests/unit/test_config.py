"""Configuration: file, environment over it, and errors that name the key and keep secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from makima.config import ConfigInvalid, load_config
from makima.domain.supervision.heartbeat_times import HeartbeatTimes

FILE = """
[contracts]
auto_complete_enabled = false
stale_threshold_minutes = 5

[feature_flags]
monitoring_dashboard = false
"""


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAKIMA_CONFIG", raising=False)
    return tmp_path


def test_defaults_are_the_plans() -> None:
    config = load_config()
    assert config.contracts.auto_complete_enabled
    assert config.contracts.auto_advance_phases
    assert (config.contracts.stale_detection_interval_seconds, config.contracts.stale_threshold_minutes) == (60, 30)
    assert all(config.feature_flags.model_dump().values())


def test_heartbeats_are_the_plans_and_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_config().heartbeat_times() == HeartbeatTimes(30, 120)
    monkeypatch.setenv("MAKIMA_CONTRACTS__HEARTBEAT_INTERVAL_SECONDS", "7")
    monkeypatch.setenv("MAKIMA_CONTRACTS__HEARTBEAT_TIMEOUT_SECONDS", "21")
    assert load_config().heartbeat_times() == HeartbeatTimes(7, 21)


def test_a_timeout_within_an_interval_is_refused(elsewhere: Path) -> None:
    (elsewhere / "makima.toml").write_text("[contracts]\nheartbeat_interval_seconds = 120\n")
    with pytest.raises(ConfigInvalid, match=r"heartbeat_timeout_seconds \(120\) has to be longer than .* \(120\)"):
        load_config()


def test_the_environment_is_over_the_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "makima.toml").write_text(FILE)
    monkeypatch.setenv("MAKIMA_CONTRACTS__STALE_THRESHOLD_MINUTES", "7")
    config = load_config()
    assert config.contracts.stale_threshold_minutes == 7
    assert not config.contracts.auto_complete_enabled
    assert not config.decisions().monitoring


def test_the_command_line_is_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKIMA_CONTEXT", "from-the-environment")
    assert load_config().context == "from-the-environment"
    assert load_config(Path("/k"), "given").context == "given"
    assert load_config(Path("/k"), "").context == "from-the-environment"
    assert load_config(Path("/k")).kubeconfig == Path("/k")


BAD = {
    "an unknown key": "[contracts]\nstale_treshold_minutes = 5\n",
    "a number out of range": "[contracts]\nstale_threshold_minutes = -5\n",
    "no number": "[contracts]\nstale_threshold_minutes = 'soon'\n",
    "no TOML": "[contracts\n",
}


@pytest.mark.parametrize("case", BAD)
def test_what_can_not_be_used_is_named(elsewhere: Path, case: str) -> None:
    (elsewhere / "makima.toml").write_text(BAD[case])
    with pytest.raises(ConfigInvalid, match="configuration"):
        load_config()


def test_a_file_that_is_named_and_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKIMA_CONFIG", "nowhere.toml")
    with pytest.raises(ConfigInvalid, match=r"nowhere\.toml"):
        load_config()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKIMA_DATABASE_URL", "postgresql://me:hunter2@db/x")
    config = load_config()
    assert "hunter2" not in repr(config)
    assert config.required_database_url().endswith("hunter2@db/x")


def test_without_a_database_it_says_how_to_get_one() -> None:
    with pytest.raises(ConfigInvalid, match="sandbox env"):
        load_config().required_database_url()
