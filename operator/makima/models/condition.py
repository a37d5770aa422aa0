"""The Kubernetes condition (API conventions, "Typical status properties")."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from makima.models.bounds import Sentence
from makima.models.enums import ConditionStatus
from makima.models.markers import ListMap, Model

ConditionType = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Z][A-Za-z]*$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Z][A-Za-z]*$")]


class Condition(Model):
    """One observed aspect of an object."""

    type: ConditionType = Field(description="What the condition is about, for example Ready.")
    status: ConditionStatus = Field(description="True, False or Unknown.")
    reason: Reason = Field(description="One word for programs: why the condition has this status.")
    message: Sentence = Field(description="One sentence for people: what is so, and what to do about it.")
    observed_generation: int = Field(ge=0, description="metadata.generation that this condition was decided for.")
    last_transition_time: datetime = Field(description="When the status last changed.")


ConditionList = Annotated[tuple[Condition, ...], ListMap(("type",)), Field(max_length=8)]
