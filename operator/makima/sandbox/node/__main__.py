"""`python -m makima.sandbox.node`: exit code 0 where a node can run, else every reason why not (for the Makefile)."""

from __future__ import annotations

import sys

from makima.sandbox.node.requirements import Machine, reasons_against

if __name__ == "__main__":
    found = reasons_against(Machine.here())
    sys.exit("\n".join(f"tests that need a node are skipped: {reason}" for reason in found) or 0)
