"""What each phase writes: values from a git history and the documents before it, and nothing else."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ORDERS = ("oldest first", "newest first")
"""What a person is asked: how the commits of a section are ordered."""

LOG_FORMAT = "--format=%x1e%h%x1f%ad%x1f%s%x1f"
CARRIED = Path(__file__).with_name("history.txt")
"""A log that comes with the example, for machines without git and for checkouts that are none."""

Before = Mapping[str, str]
"""Documents of the phases before, by deliverable; and the answer that was given, as `order`."""


class ReviewFailed(Exception):
    """The release notes are not what was asked for; says how."""


@dataclass(frozen=True)
class Commit:
    """One commit of the history."""

    sha: str
    date: str
    subject: str
    files: tuple[str, ...]

    @property
    def area(self) -> str:
        """The part of the repository that it touches most."""
        tops = Counter(path.split("/")[0] if "/" in path else "top level" for path in self.files)
        return tops.most_common(1)[0][0] if tops else "no files"


@dataclass(frozen=True)
class Document:
    """What one phase writes: its deliverable, its file, and how it is made."""

    deliverable: str
    file: str
    write: Callable[[Sequence[Commit], Before], str]


def read_history(repository: Path) -> list[Commit]:
    """The commits of `repository`, oldest first; says so where it has none that can be read, and reads `CARRIED`."""
    command = ["git", "-C", str(repository), "log", "--reverse", "--date=short", "--name-only", LOG_FORMAT]
    try:
        return parse_log(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    except FileNotFoundError:
        why = "there is no git on this machine"
    except subprocess.CalledProcessError as error:
        why = error.stderr.strip()
    print(f"{why}: the history in {CARRIED.name}, the first 40 commits of makima itself, is read instead", flush=True)
    return parse_log(CARRIED.read_text())


def parse_log(log: str) -> list[Commit]:
    """The commits of a log in `LOG_FORMAT`, with names of files."""
    commits = []
    for record in log.split("\x1e")[1:]:
        sha, date, subject, files = record.split("\x1f")
        commits.append(Commit(sha, date, subject, tuple(files.split())))
    return commits


def research_notes(commits: Sequence[Commit], _: Before) -> str:
    """What is there: size, time, areas, and every commit."""
    areas = Counter(commit.area for commit in commits)
    lines = [f"# Research notes\n\n{len(commits)} commits, {commits[0].date} to {commits[-1].date}.\n", "## Areas\n"]
    lines += [f"- {area}: {count} commits" for area, count in areas.most_common()]
    lines.append("\n## Commits\n")
    lines += [f"- {commit.sha} {commit.date} [{commit.area}] {commit.subject}" for commit in commits]
    return "\n".join(lines) + "\n"


def requirements(commits: Sequence[Commit], before: Before) -> str:
    """What the release notes have to say, derived from the research notes and from what a person answered."""
    areas = re.findall(r"^- (.+): \d+ commits$", before["research-notes"], re.MULTILINE)
    lines = ["# Requirements of the release notes\n"]
    lines.append(f"- Each of the {len(commits)} commits is in exactly one section.")
    lines.append(f"- The order within a section is: {before['order']}.")
    lines += [f"- There is a section for {area}." for area in areas]
    return "\n".join(lines) + "\n"


def plan(commits: Sequence[Commit], before: Before) -> str:
    """Which commit goes into which section, and in which order."""
    asked = before["requirements-document"]
    sections = re.findall(r"section for (.+)\.$", asked, re.MULTILINE)
    ordered = list(reversed(commits)) if f"is: {ORDERS[1]}." in asked else list(commits)
    lines = ["# Plan\n"]
    for section in sections:
        lines += [f"## {section}\n", *(f"- {commit.sha}" for commit in ordered if commit.area == section), ""]
    return "\n".join(lines)


def draft(commits: Sequence[Commit], before: Before) -> str:
    """The change itself: the release notes as a patch that adds a file."""
    by_sha = {commit.sha: commit for commit in commits}
    body = ["# Release notes"]
    for line in before["plan-document"].splitlines():
        commit = by_sha.get(line.removeprefix("- "))
        if commit is not None:
            body.append(f"- {commit.subject} ({commit.sha})")
        elif line.startswith("## "):
            body += ["", line, ""]
    added = "".join(f"+{line}\n" for line in body)
    return f"--- /dev/null\n+++ b/RELEASE_NOTES.md\n@@ -0,0 +1,{len(body)} @@\n{added}"


def release_notes(commits: Sequence[Commit], before: Before) -> str:
    """The patch applied, and checked: every commit is there exactly once.

    Raises:
        ReviewFailed: one is not.
    """
    text = "\n".join(line[1:] for line in before["pull-request"].splitlines()[3:]) + "\n"
    wrong = [commit.sha for commit in commits if text.count(f"({commit.sha})") != 1]
    if wrong:
        raise ReviewFailed(f"not exactly once in the notes: {', '.join(wrong)}")
    return text


DOCUMENTS = {
    "research": Document("research-notes", "research-notes.md", research_notes),
    "specify": Document("requirements-document", "requirements.md", requirements),
    "plan": Document("plan-document", "plan.md", plan),
    "execute": Document("pull-request", "release-notes.patch", draft),
    "review": Document("release-notes", "RELEASE_NOTES.md", release_notes),
}
"""By phase, in the order of the built-in type `specification`."""
