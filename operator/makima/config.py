"""Configuration: one TOML file with the plan's `[contracts]` and `[feature_flags]`, the environment over it.

`MAKIMA_CONFIG` names the file (default: makima.toml in the working directory, if there is one). In the environment a
key of a section is written with two underscores: `MAKIMA_CONTRACTS__STALE_THRESHOLD_MINUTES=5`.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from makima.domain.settings import Settings
from makima.errors import MakimaError


class ConfigInvalid(MakimaError):
    """The configuration file or the environment holds something that can't be used."""


class ContractsSection(BaseModel):
    """`[contracts]`."""

    model_config = ConfigDict(extra="forbid")

    auto_complete_enabled: bool = Field(
        True, description="Contracts complete by themselves, where their spec allows it."
    )
    auto_advance_phases: bool = Field(True, description="Phases advance by themselves, where their gate allows it.")
    stale_detection_interval_seconds: float = Field(
        60, gt=0, le=86400, description="Seconds between looks for stale contracts."
    )
    stale_threshold_minutes: float = Field(
        30, gt=0, le=525600, description="Minutes without activity until a contract is stale."
    )
    heartbeat_interval_seconds: float = Field(
        30, gt=0, le=3600, description="Seconds between a supervisor's heartbeats."
    )
    heartbeat_timeout_seconds: float = Field(
        120, gt=0, le=86400, description="Seconds without a heartbeat until it is dead."
    )


class FeatureFlags(BaseModel):
    """`[feature_flags]`: a flag that is off means no writes, no timers, no routes."""

    model_config = ConfigDict(extra="forbid")

    enhanced_contract_status: bool = Field(True, description="The nine states; off, only what the old three need.")
    auto_complete: bool = Field(True, description="Gates, auto-advance and completion detection.")
    supervisor_heartbeat: bool = Field(True, description="Supervisors: registration, heartbeats, restarts.")
    monitoring_dashboard: bool = Field(True, description="Stale detection, live monitor and dashboard.")


class OperatorSection(BaseModel):
    """`[operator]`: the process itself."""

    model_config = ConfigDict(extra="forbid")

    namespaces: tuple[str, ...] = Field((), description="Namespaces to watch; empty = all.")
    lease_name: str = Field("makima-operator", description="Name of the Lease that the leader holds.")
    lease_namespace: str = Field("makima-system", description="Namespace of that Lease.")
    lease_duration_seconds: float = Field(
        15, ge=1, le=300, description="Seconds after which a silent leader is replaced."
    )
    health_port: int = Field(8080, ge=0, le=65535, description="Port of /healthz and /readyz; 0 = any free one.")
    metrics_port: int = Field(9090, ge=0, le=65535, description="Port of /metrics; 0 = any free one.")
    ports_file: Path | None = Field(None, description="File to write the chosen ports to, for port 0. Default: none.")
    bind_address: str = Field("127.0.0.1", description="Address of both; in a pod 0.0.0.0.")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: JSON unless on a terminal.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level that is shown.")
    watch_inactivity_seconds: float = Field(
        70,
        ge=1,
        le=3600,
        description="Seconds of silence after which a watch is opened again; bookmarks come each minute.",
    )
    resync_seconds: float = Field(600, gt=0, le=86400, description="Seconds between full comparisons with the cluster.")


class SupervisorsSection(BaseModel):
    """`[supervisors]`: how the operator runs them."""

    model_config = ConfigDict(extra="forbid")

    api_url: str = Field(
        "http://makima-api.makima-system.svc:8090",
        pattern=r"^https?://[!-~]+$",
        description="Where supervisors' pods reach the API service; they get it as MAKIMA_API_URL.",
    )
    status_writes_per_second: float = Field(
        50,
        gt=0,
        le=10_000,
        description="Writes a second, over all supervisors, that only show activity, progress and heartbeats. Changes "
        "of state and phase are written at once and not counted.",
    )
    status_refresh_seconds: float = Field(
        30, ge=1, le=3600, description="Seconds between such writes to one supervisor, where the budget allows it."
    )
    restarts_per_second: float = Field(
        20, gt=0, le=1000, description="Restarts a second, over all supervisors, in the long run."
    )
    restart_burst: int = Field(50, ge=1, le=10_000, description="Restarts at once, after a rest.")
    git_image: str = Field(
        "", description="Image with sh and git for workspaces. Default: that of the task or supervisor itself."
    )


class ApiSection(BaseModel):
    """`[api]`: the API service's process."""

    model_config = ConfigDict(extra="forbid")

    bind_address: str = Field("127.0.0.1", description="Address of all three ports; in a pod 0.0.0.0.")
    port: int = Field(8090, ge=0, le=65535, description="Port of REST and the stream; 0 = any free one.")
    health_port: int = Field(8081, ge=0, le=65535, description="Port of /healthz and /readyz; 0 = any free one.")
    metrics_port: int = Field(9091, ge=0, le=65535, description="Port of /metrics; 0 = any free one.")
    ports_file: Path | None = Field(None, description="File to write the chosen ports to, for port 0. Default: none.")
    tls_certificate: Path | None = Field(
        None, description="Certificate chain (PEM). Default: none, something in front of it speaks TLS."
    )
    tls_key: Path | None = Field(None, description="Its key (PEM). Default: none.")
    aggregated_port: int = Field(
        8443, ge=0, le=65535, description="Port of the aggregated API, for the API server only; 0 = any free one."
    )
    aggregated_certificate: Path | None = Field(
        None, description="Its certificate (PEM), read again when it changes. Default: none, no aggregated API."
    )
    aggregated_key: Path | None = Field(None, description="Its key (PEM). Default: none.")
    front_proxy_seconds: float = Field(
        10,
        gt=0,
        le=3600,
        description="Seconds between looks at whom the cluster calls its front proxy, and at certificate and key.",
    )
    audience: str = Field("makima.dev", min_length=1, description="Audience that a bearer token has to be made for.")
    buffer_heartbeats: int = Field(
        20_000, ge=1000, le=1_000_000, description="Heartbeats that wait for Postgres at most; then 503."
    )
    buffer_megabytes: int = Field(32, ge=1, le=4096, description="Megabytes of them.")
    streams: int = Field(1000, ge=0, le=100_000, description="Open WebSockets of supervisors at most.")
    monitor_clients: int = Field(2000, ge=0, le=100_000, description="Clients of the live monitor at most.")
    allowed_origins: tuple[str, ...] = Field(
        (),
        description="Pages that may open the live monitor, besides the API's own: https://host[:port], in lower case.",
    )
    long_polls: int = Field(2000, ge=0, le=100_000, description="Long polls that wait at most.")
    calls: int = Field(4000, ge=10, le=100_000, description="Calls under way at most; then 503.")
    database_connections: int = Field(8, ge=3, le=200, description="Connections to Postgres at most, for supervisors.")
    reading_connections: int = Field(
        4, ge=1, le=200, description="Connections to Postgres at most, for people's reads."
    )
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: JSON unless on a terminal.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level that is shown.")


class Config(BaseSettings):
    """Everything that a process of makima can be told."""

    model_config = SettingsConfigDict(env_prefix="MAKIMA_", env_nested_delimiter="__", extra="ignore")

    database_url: SecretStr | None = Field(None, description="Postgres, as postgresql://user:password@host:port/name.")
    kubeconfig: Path | None = Field(
        None, description="kubeconfig file; default: KUBECONFIG, ~/.kube/config, or in-cluster."
    )
    context: str | None = Field(None, description="Context in it; default: the current one.")
    contracts: ContractsSection = Field(default_factory=ContractsSection)
    feature_flags: FeatureFlags = Field(default_factory=FeatureFlags)
    operator: OperatorSection = Field(default_factory=OperatorSection)
    supervisors: SupervisorsSection = Field(default_factory=SupervisorsSection)
    api: ApiSection = Field(default_factory=ApiSection)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over file."""
        file = TomlConfigSettingsSource(settings_cls, Path(os.environ.get("MAKIMA_CONFIG", "makima.toml")))
        return init_settings, env_settings, file

    def decisions(self) -> Settings:
        """The part that decisions look at."""
        return Settings(
            auto_complete_enabled=self.contracts.auto_complete_enabled,
            auto_advance_phases=self.contracts.auto_advance_phases,
            stale_threshold=timedelta(minutes=self.contracts.stale_threshold_minutes),
            stale_interval=timedelta(seconds=self.contracts.stale_detection_interval_seconds),
            enhanced_status=self.feature_flags.enhanced_contract_status,
            auto_complete=self.feature_flags.auto_complete,
            monitoring=self.feature_flags.monitoring_dashboard,
            supervisor_heartbeat=self.feature_flags.supervisor_heartbeat,
        )

    def required_database_url(self) -> str:
        """The database's address.

        Raises:
            ConfigInvalid: none is configured.
        """
        if self.database_url is None:
            raise ConfigInvalid(
                "no database is configured",
                hint='set MAKIMA_DATABASE_URL, or start a trial one: eval "$(makima sandbox env)"',
            )
        return self.database_url.get_secret_value()


def load_config(kubeconfig: Path | None = None, context: str | None = None) -> Config:
    """Read file and environment.

    Args:
        kubeconfig: over both, unless empty; so is `context`.

    Raises:
        ConfigInvalid: says which key is wrong and why; never shows a secret.
    """
    named = os.environ.get("MAKIMA_CONFIG")
    if named and not Path(named).is_file():
        raise ConfigInvalid(f"MAKIMA_CONFIG names {named}, which is no file", hint="unset it, or mend the path")
    try:
        given = {"kubeconfig": kubeconfig, "context": context}
        return Config.model_validate({key: value for key, value in given.items() if value})
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigInvalid(f"configuration: {'; '.join(lines)}", hint="see docs/reference/configuration.md") from None
    except ValueError as error:
        raise ConfigInvalid(f"configuration file: {error}", hint="it has to be TOML") from None
