"""How long and how many: the limits that keep the largest permitted object below etcd's request limit.

`tests/unit/schema/test_largest_object.py` adds them up; raising one here may fail that sum.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

PHASES = 12
DELIVERABLES_PER_PHASE = 8
DELIVERABLES = PHASES * DELIVERABLES_PER_PHASE
TASKS = 64
QUESTIONS = 8
ANSWERS = 16
TRANSITIONS = 64
DELIVERABLES_PER_TRANSITION = 8
TASK_TEMPLATES = 4

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Label = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=DNS_LABEL)]
"""A DNS label: lower-case letters, digits and hyphens, 63 at most."""

ObjectName = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
]
"""The name of a Kubernetes object: a DNS subdomain."""

Uuid = Annotated[str, StringConstraints(min_length=36, max_length=36, pattern=UUID_PATTERN)]
"""A UUID in its lower-case text form."""

Line = Annotated[str, StringConstraints(max_length=256)]
"""One line that a person reads in a table."""

Sentence = Annotated[str, StringConstraints(max_length=1024)]
"""A sentence or two: a reason, a message."""

Text = Annotated[str, StringConstraints(max_length=8192)]
"""A page of text."""

Uri = Annotated[str, StringConstraints(max_length=512, pattern=r"^[!-~]*$")]
"""An address in printable ASCII."""

Digest = Annotated[str, StringConstraints(max_length=160, pattern=r"^[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$")]
"""An OCI digest, as `sha256:…`."""
