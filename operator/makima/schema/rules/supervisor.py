"""Which supervisors the API server takes, and what may become of them."""

from __future__ import annotations

from makima.models.markers import Rule
from makima.schema.rules.cel import short_name

SUPERVISOR_SETTINGS = (
    Rule(
        "!has(self.heartbeatTimeoutSeconds) || !has(self.heartbeatPeriodSeconds)"
        " || self.heartbeatTimeoutSeconds > self.heartbeatPeriodSeconds",
        "VALIDATION_FAILED: heartbeatTimeoutSeconds has to be longer than heartbeatPeriodSeconds, or every supervisor"
        " is dead between two heartbeats",
    ),
)

SUPERVISOR = (
    short_name("supervisor"),
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.incarnation)"
        " || (has(self.status) && has(self.status.incarnation))",
        "VALIDATION_FAILED: the incarnation of a supervisor is never taken away",
    ),
)

SUPERVISOR_INCARNATION = (
    Rule(
        "self >= oldSelf",
        "VALIDATION_FAILED: an incarnation never falls: writes of older lives are refused by it",
    ),
)

SUPERVISOR_STATUS = (
    Rule(
        "!has(self.podUid) || (has(self.incarnation) && self.incarnation >= 1)",
        "VALIDATION_FAILED: a pod belongs to a life: podUid needs an incarnation",
    ),
)
