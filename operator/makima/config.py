"""Configuration: one TOML file with the sections of `config_sections`, the environment over it.

`MAKIMA_CONFIG` names the file (default: makima.toml in the working directory, if there is one). In the environment a
key of a section is written with two underscores: `MAKIMA_CONTRACTS__STALE_THRESHOLD_MINUTES=5`.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from makima.config_sections import ApiSection, ContractsSection, FeatureFlags, OperatorSection, SupervisorsSection
from makima.domain.settings import Settings
from makima.domain.supervision.heartbeat_times import HeartbeatTimes
from makima.errors import MakimaError


class ConfigInvalid(MakimaError):
    """The configuration file or the environment holds something that can't be used."""


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

    def heartbeat_times(self) -> HeartbeatTimes:
        """What supervisors that say nothing else are held to."""
        return HeartbeatTimes(self.contracts.heartbeat_interval_seconds, self.contracts.heartbeat_timeout_seconds)

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
