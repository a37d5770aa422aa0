"""The ValidatingAdmissionPolicies: written by hand in `policies/*.yaml`, completed from the domain.

What a policy has to know of the state table or of the built-in types is filled in, so that it is said once only.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import yaml

from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.domain.reconcile.states import RUNNING
from makima.models.enums import ContractState
from makima.models.gate import Phase
from makima.schema.rules.cel import cel_list, cel_string
from makima.schema.version import stamp

SOURCES = ("contract-spec.yaml", "contract-status.yaml", "supervisor-spec.yaml", "operator-pods.yaml")
API = "admissionregistration.k8s.io/v1"


def render_policies() -> list[dict[str, Any]]:
    """Every policy, each followed by the binding that makes it deny."""
    return [part for source in SOURCES for part in _policy_and_binding(source)]


def policy_names() -> tuple[str, ...]:
    """Names of the policies; each binding has the name of its policy."""
    return tuple(f"makima-{source.removesuffix('.yaml')}" for source in SOURCES)


def _policy_and_binding(source: str) -> list[dict[str, Any]]:
    text = (files("makima.schema") / "policies" / source).read_text(encoding="utf-8")
    policy = yaml.safe_load(fill_in(text))
    name = policy["metadata"]["name"]
    policy["metadata"] = stamp(name)
    binding = {
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": stamp(name),
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    return [policy, binding]


def fill_in(text: str) -> str:
    """The source with every `${NAME}` and `${MAY_USE(account)}` replaced.

    Raises:
        KeyError: the source asks for a value that is not known here.
    """
    text = re.sub(r"\$\{MAY_USE\((?P<account>[^)]*)\)\}", lambda found: _may_use(found["account"]), text)
    values = _values()
    return re.sub(r"\$\{([A-Z_]+)\}", lambda found: values[found[1]], text)


def _values() -> dict[str, str]:
    running = tuple(state.value for state in ContractState if state in RUNNING)
    return {
        "RUNNING": cel_list(running),
        "UNDER_WAY": cel_list((ContractState.CREATED.value, *running)),
        # Out of a pause a contract goes to where it stands by then: the pause may have outlasted its phase.
        "MOVES_FROM": cel_list((ContractState.CREATED.value, ContractState.PAUSED.value, *running)),
        "BUILTIN_PHASES": _map({name: _phases(phases) for name, phases in BUILTIN_TYPES.items()}),
    }


def _phases(phases: tuple[Phase, ...]) -> str:
    return "[" + ", ".join(_phase(phase) for phase in phases) + "]"


def _phase(phase: Phase) -> str:
    ids = ", ".join(_map({"id": cel_string(item.id)}) for item in phase.deliverables)
    return _map({"name": f"dyn({cel_string(phase.name)})", "deliverables": f"dyn([{ids}])"})


def _map(entries: dict[str, str]) -> str:
    return "{" + ", ".join(f"{cel_string(key)}: {value}" for key, value in entries.items()) + "}"


def _may_use(account: str) -> str:
    """Who may act as a service account may give it to a pod; `use` grants the latter alone (docs/adr)."""
    on = f"authorizer.group('').resource('serviceaccounts').namespace(object.metadata.namespace).name({account})"
    return f"{on}.check('use').allowed() || {on}.check('impersonate').allowed()"
