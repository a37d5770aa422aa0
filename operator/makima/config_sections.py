"""What can be configured, section by section: each option with its default, its bounds and what it means.

`[contracts]` and `[feature_flags]` are the plan's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


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
    heartbeat_interval_seconds: int = Field(
        30,
        ge=1,
        le=3600,
        description="Seconds between the heartbeats of a supervisor whose heartbeatPeriodSeconds is left out. One that "
        "is made already keeps its own.",
    )
    heartbeat_timeout_seconds: int = Field(
        120,
        ge=2,
        le=86400,
        description="Seconds without a heartbeat until such a supervisor is dead (heartbeatTimeoutSeconds), and until "
        "the dashboard no longer counts one as active. Longer than the interval.",
    )

    @model_validator(mode="after")
    def _outlast_an_interval(self) -> Self:
        if self.heartbeat_timeout_seconds <= self.heartbeat_interval_seconds:
            raise ValueError(
                f"heartbeat_timeout_seconds ({self.heartbeat_timeout_seconds}) has to be longer than "
                f"heartbeat_interval_seconds ({self.heartbeat_interval_seconds}), or every supervisor is dead between "
                "two heartbeats"
            )
        return self


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
