"""The global settings and feature flags that decisions look at (plan: `[contracts]`, `[feature_flags]`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings as values; read from file and environment by `makima.config`.

    Attributes:
        auto_complete_enabled: contracts complete by themselves (`[contracts] auto_complete_enabled`).
        auto_advance_phases: phases advance by themselves (`[contracts] auto_advance_phases`).
        stale_threshold: time without activity after which a contract is stale (`stale_threshold_minutes`).
        stale_interval: how often staleness is looked at (`stale_detection_interval_seconds`).
        enhanced_status: flag `enhanced_contract_status`; off, only the plan's old statuses are used.
        auto_complete: flag `auto_complete`; off, no gate moves anything by itself.
        monitoring: flag `monitoring_dashboard`; off, nobody looks for stale contracts.
        supervisor_heartbeat: flag `supervisor_heartbeat`; off, supervisors are not looked at.
    """

    auto_complete_enabled: bool = True
    auto_advance_phases: bool = True
    stale_threshold: timedelta = timedelta(minutes=30)
    stale_interval: timedelta = timedelta(seconds=60)
    enhanced_status: bool = True
    auto_complete: bool = True
    monitoring: bool = True
    supervisor_heartbeat: bool = True

    @property
    def phases_advance(self) -> bool:
        """Whether any phase may advance by itself."""
        return self.auto_complete and self.auto_advance_phases

    @property
    def contracts_complete(self) -> bool:
        """Whether any contract may complete by itself."""
        return self.auto_complete and self.auto_complete_enabled
