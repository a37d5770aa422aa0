"""What to do next about an error: a sentence, and in it commands that can be pasted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

CONTRACT = "NAME"
"""Among a command's words: the contract that the error is about. It stays as it is where none was named."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do.

    Attributes:
        text: for a person, with `{}` in place of each command.
        commands: their words after the program's name.
    """

    text: str
    commands: tuple[tuple[str, ...], ...] = ()

    def said(self, contract: str, line: Callable[..., str]) -> str:
        """The sentence.

        Args:
            contract: as it was named.
            line: makes a command line of words; `contracts` first stands for the program.
        """
        named = ([contract if word == CONTRACT else word for word in words] for words in self.commands)
        return self.text.format(*(line("contracts", *words) for words in named))


SHOW = ("show", CONTRACT)
FIELDS = "see what each field takes, and how much: kubectl explain contract.spec"

NEXT = {
    "VERSION_CONFLICT": NextStep("somebody was faster: look again ({}), then ask for what is there now", (SHOW,)),
    "PHASE_GUARD_REQUIRED": NextStep("look at the deliverables, then: {}", (("confirm", CONTRACT),)),
    "UNAUTHORIZED": NextStep("ask somebody who may, or an administrator for the role makima-confirm"),
    "INVALID_DELIVERABLE": NextStep("see the ids of this phase: {}", (SHOW,)),
    "INVALID_TRANSITION": NextStep("see where it stands: {}", (SHOW,)),
    "VALIDATION_FAILED": NextStep("see what is missing: {}", (SHOW,)),
    "CONFLICT": NextStep("somebody changed it, or it is there already: look again ({})", (("list",),)),
    "UNAVAILABLE": NextStep(
        "see that the address in the kubeconfig is right and its API server up (--kubeconfig, --context)"
    ),
    "FORBIDDEN": NextStep("ask an administrator for a role of makima in that namespace (makima-view, makima-edit, …)"),
}
"""By the plan's code, else by the exit code."""
