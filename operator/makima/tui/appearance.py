"""How states look: a symbol, a word and a colour each, so that nothing is said by colour alone.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with any kind of colour vision tell
apart. Symbols are one cell wide in every terminal, so none of them is an emoji.
"""

from __future__ import annotations

from dataclasses import dataclass

from makima.models.enums import ContractState, RestorationOutcome, SupervisorState, TaskState

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#2AB894", "#F0E442"
VERMILION, PURPLE, GREY, WHITE = "#F2743A", "#CC79A7", "#9AA0A6", "#E6E6E6"


@dataclass(frozen=True, slots=True)
class Look:
    """How one value looks."""

    symbol: str
    word: str
    colour: str

    @property
    def text(self) -> str:
        """Symbol and word."""
        return f"{self.symbol} {self.word}"


NOT_ACCEPTED = Look("!", "Not accepted", VERMILION)

STATES: dict[ContractState, Look] = {
    ContractState.CREATED: Look("○", "Created", WHITE),
    ContractState.ACTIVE: Look("►", "Active", SKY),
    ContractState.WAITING_FOR_INPUT: Look("◆", "Waiting", ORANGE),
    ContractState.PAUSED: Look("‖", "Paused", PURPLE),
    ContractState.BLOCKED: Look("■", "Blocked", YELLOW),
    ContractState.COMPLETING: Look("◐", "Completing", SKY),
    ContractState.COMPLETED: Look("✓", "Completed", GREEN),
    ContractState.FAILED: Look("✗", "Failed", VERMILION),
    ContractState.ARCHIVED: Look("▫", "Archived", GREY),
}

SUPERVISOR_STATES: dict[SupervisorState, Look] = {
    SupervisorState.INITIALIZING: Look("○", "Starting", WHITE),
    SupervisorState.IDLE: Look("·", "Idle", GREY),
    SupervisorState.WORKING: Look("►", "Working", SKY),
    SupervisorState.WAITING_FOR_USER: Look("◆", "Waits for person", ORANGE),
    SupervisorState.WAITING_FOR_TASKS: Look("◇", "Waits for tasks", SKY),
    SupervisorState.BLOCKED: Look("■", "Blocked", YELLOW),
    SupervisorState.COMPLETED: Look("✓", "Completed", GREEN),
    SupervisorState.FAILED: Look("✗", "Failed", VERMILION),
    SupervisorState.INTERRUPTED: Look("≠", "Interrupted", VERMILION),
}

TASK_STATES: dict[TaskState, Look] = {
    TaskState.PENDING: Look("○", "Pending", WHITE),
    TaskState.RUNNING: Look("►", "Running", SKY),
    TaskState.COMPLETED: Look("✓", "Completed", GREEN),
    TaskState.FAILED: Look("✗", "Failed", VERMILION),
}

RESTORATIONS: dict[RestorationOutcome, str] = {
    RestorationOutcome.FRESH: "started afresh, without earlier context",
    RestorationOutcome.CHECKPOINT: "from the last checkpoint",
    RestorationOutcome.QUESTIONS_REDELIVERED: "its open questions asked again",
    RestorationOutcome.WAITING_FOR_TASKS: "waits for its tasks again",
    RestorationOutcome.RESUMED: "resumed where it was",
}


def state_look(state: ContractState | None) -> Look:
    """How the state of a contract looks; None: it was not accepted (yet)."""
    return NOT_ACCEPTED if state is None else STATES[state]


def step_bar(step: int, steps: int, done: bool, width: int = 5) -> str:
    """A bar of `width` cells for phase `step` of `steps`: phases left behind are full, the current one is half."""
    if steps <= 0:
        return ""
    if done:
        return "█" * width
    cells = [(index * steps) // width + 1 for index in range(width)]  # which phase each cell stands for
    return "".join("█" if phase < step else "▒" if phase == step else "░" for phase in cells)


def progress_bar(percent: int, width: int = 10) -> str:
    """A bar of `width` cells."""
    full = round(max(0, min(percent, 100)) * width / 100)
    return "█" * full + "░" * (width - full)
