"""One table: figures by contender, Argo Workflows beside them, and whether the aim was met."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bench.board_rows import dashboard_rows, list_rows
from bench.command_line_rows import command_line_rows
from bench.contenders.processes import NAMES
from bench.results import Results, Run
from bench.rows import FAILOVER, Row, latency_rows, life_rows, ratios, start_rows
from bench.supervision_rows import beat_rows, deadline_rows, expiry_rows
from bench.watch.rows import monitor_rows

ARGO_START = {"many": (3.3, 271.0), "some": (0.9, 117.0)}
ARGO_LATENCY: dict[int, tuple[float, float]] = {10: (16.0, 33.0)}
MARKS = {True: "yes", False: "NO", None: ""}
STYLES = {True: "green", False: "red", None: ""}


def sections(run: Run, results: Results) -> list[list[Row]]:
    """All rows, by section, ratios included."""
    ratios(results, list(run.start_sizes), run.rates)
    return [
        *(start_rows(label, size, *ARGO_START[label]) for label, size in run.start_sizes.items()),
        *(latency_rows(rate, ARGO_LATENCY.get(rate)) for rate in run.rates),
        life_rows(run.lives),
        [FAILOVER],
        *beat_rows(run.supervisors),
        deadline_rows(run.supervisors, run.timers),
        expiry_rows(run.hour_rows),
        command_line_rows(),
        dashboard_rows(run.contracts, run.events),
        list_rows(run.contracts),
        monitor_rows(run.watchers),
    ]


def show(run: Run, results: Results, facts: list[str]) -> None:
    """Print the table, what it was measured on, and remarks."""
    table = Table(
        title="makima against plain kopf and a raw watch loop"
        + (" (quick: small sizes, not for comparison)" if run.quick else "")
    )
    table.add_column("figure", no_wrap=True)
    for heading in ("unit", "makima", "plain kopf", "raw watch", "Argo 4.1", "aim", "met"):
        table.add_column(heading, justify="right" if heading not in ("unit", "aim", "met") else "left", no_wrap=True)
    for rows in sections(run, results):
        measured = [row for row in rows if any(results.get(name, row.key) is not None for name in NAMES)]
        for row in measured:
            _add(table, row, run, results)
        if measured:
            table.add_section()
    console = Console(width=max(132, Console().width) if not Console().is_terminal else None, highlight=False)
    console.print(table)
    for line in (*facts, *_notes(run), *results.remarks):
        console.print(line, markup=False, style="red" if line.startswith("ERROR") else None)


def _add(table: Table, row: Row, run: Run, results: Results) -> None:
    values = [results.get(name, row.key) for name in NAMES]
    met = row.met(values[0], quick=run.quick)
    argo = row.argo_shown or (f"{row.argo:g}" if row.argo is not None else "")
    shown = [f"{value:,.{row.digits}f}" if value is not None else "–" for value in values]
    mark = f"[{STYLES[met]}]{MARKS[met]}[/]" if met is not None else ""
    table.add_row(row.title, row.unit, *shown, argo, row.aim(), mark)


def _notes(run: Run) -> list[str]:
    notes = [
        "Argo 4.1: given beforehand (five suspend steps, such a machine and API server, full size); not measured here.",
    ]
    if run.quick:
        notes.append("Aims that depend on the size are not judged in a quick run.")
    return notes
