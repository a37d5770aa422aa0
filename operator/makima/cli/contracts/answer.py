"""`answer`: answer a question that a supervisor asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from makima.cli.contracts.acting import Judge, acting_options, outcome, report, wishes_of
from makima.cli.contracts.call import Call, common
from makima.cli.contracts.completion import questions as complete_questions
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.selecting import contract_argument, one

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract

LONGEST = 2048
"""Characters of an answer (spec.answers)."""


def _text(ctx: click.Context, param: click.Parameter, value: str) -> str:
    text = sys.stdin.read(4 * LONGEST + 1).rstrip("\n") if value == "-" else value
    if not text.strip():
        raise click.BadParameter("an answer is not empty", ctx, param)
    if len(text) > LONGEST:
        raise click.BadParameter(f"an answer has at most {LONGEST} characters; this one has more", ctx, param)
    return text


@click.command("answer")
@contract_argument
@click.argument("text", callback=_text)
@click.option(
    "--question", metavar="QUESTION-ID", shell_complete=complete_questions, help="Which one, or how its id begins."
)
@acting_options
@format_option()
@common
def command(
    call: Call, *, contract: str, text: str, question: str | None, wait: bool, dry_run: bool, form: str
) -> None:
    """Answer a question with TEXT (`-`: from standard input); --question says which, where several are open."""

    async def work(person: Person) -> tuple[Contract, str, str | None]:
        from makima.client.wishes import the_question

        seen = await one(person, contract)
        asked = the_question(seen, question)
        wished = await wishes_of(person, seen, dry_run=dry_run).answer(asked.id, text)
        said = await outcome(person, call, wished, _taken(asked.id), wait=wait, dry_run=dry_run)
        return wished, asked.question, said

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[2], f"answered: {done[1]}", form, dry_run=dry_run)


def _taken(identifier: str) -> Judge:
    """Judges whether the operator has taken the answer up."""

    def judge(contract: Contract) -> str | None:
        status = contract.status
        if status is None or any(question.id == identifier for question in status.questions):
            return None
        left = f"; {len(status.questions)} more questions are open" if status.questions else ""
        return f"answered, it is {status.state} in {status.phase}{left}"

    return judge
