"""Validators of gates: CEL expressions and HTTP calls, both written by people who are not trusted with the operator."""

from makima.adapters.validators.gate import GateValidators

__all__ = ["GateValidators"]
