"""Carries a `specification` contract: reads a git history and writes release notes, phase by phase.

A stand-in for an agent: no model, but real work. Each phase writes one document from the history and from the
documents before it, and reports it with kubectl alone (server-side apply into spec.deliverables, with its sha256). It
never moves a phase: the operator does, and where a guard is set a person confirms.

    python supervisor.py --namespace NS --contract NAME --repository DIR --out DIR
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FINISHED = {"Completed", "Failed", "Archived"}
POLL_SECONDS = 0.2
MANAGER = "--field-manager=release-notes-supervisor"


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


def read_history(repository: Path) -> list[Commit]:
    """The commits of `repository`, oldest first."""
    command = [
        "git",
        "-C",
        str(repository),
        "log",
        "--reverse",
        "--date=short",
        "--name-only",
        "--format=%x1e%h%x1f%ad%x1f%s%x1f",
    ]
    log = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    commits = []
    for record in log.split("\x1e")[1:]:
        sha, date, subject, files = record.split("\x1f")
        commits.append(Commit(sha, date, subject, tuple(files.split())))
    return commits


def research_notes(commits: list[Commit], _: dict[str, str]) -> str:
    """What is there: size, time, areas, and every commit."""
    areas = Counter(commit.area for commit in commits)
    lines = [f"# Research notes\n\n{len(commits)} commits, {commits[0].date} to {commits[-1].date}.\n", "## Areas\n"]
    lines += [f"- {area}: {count} commits" for area, count in areas.most_common()]
    lines += [
        "\n## Commits\n",
        *(f"- {commit.sha} {commit.date} [{commit.area}] {commit.subject}" for commit in commits),
    ]
    return "\n".join(lines) + "\n"


def requirements(commits: list[Commit], before: dict[str, str]) -> str:
    """What the release notes have to say, derived from the research notes."""
    areas = re.findall(r"^- (.+): \d+ commits$", before["research-notes"], re.MULTILINE)
    lines = [
        "# Requirements of the release notes\n",
        f"- Each of the {len(commits)} commits is in exactly one section.",
    ]
    lines += [f"- There is a section for {area}." for area in areas]
    return "\n".join(lines) + "\n"


def plan(commits: list[Commit], before: dict[str, str]) -> str:
    """Which commit goes into which section."""
    sections = re.findall(r"section for (.+)\.$", before["requirements-document"], re.MULTILINE)
    lines = ["# Plan\n"]
    for section in sections:
        lines += [f"## {section}\n", *(f"- {c.sha}" for c in commits if c.area == section), ""]
    return "\n".join(lines)


def draft(commits: list[Commit], before: dict[str, str]) -> str:
    """The change itself: the release notes as a patch that adds a file."""
    by_sha = {commit.sha: commit for commit in commits}
    body = ["# Release notes", ""]
    for line in before["plan-document"].splitlines():
        commit = by_sha.get(line.removeprefix("- "))
        if commit is not None:
            body.append(f"- {commit.subject} ({commit.sha})")
        elif line.startswith("## "):
            body += ["", line, ""]
    added = "".join(f"+{line}\n" for line in body)
    return f"--- /dev/null\n+++ b/RELEASE_NOTES.md\n@@ -0,0 +1,{len(body)} @@\n{added}"


def release_notes(commits: list[Commit], before: dict[str, str]) -> str:
    """The patch applied, and checked: every commit is there exactly once."""
    text = "\n".join(line[1:] for line in before["pull-request"].splitlines()[3:]) + "\n"
    wrong = [commit.sha for commit in commits if text.count(f"({commit.sha})") != 1]
    if wrong:
        raise SystemExit(f"review failed: not exactly once in the notes: {', '.join(wrong)}")
    return text


WORK: dict[str, tuple[str, str, Callable[[list[Commit], dict[str, str]], str]]] = {
    "research": ("research-notes", "research-notes.md", research_notes),
    "specify": ("requirements-document", "requirements.md", requirements),
    "plan": ("plan-document", "plan.md", plan),
    "execute": ("pull-request", "release-notes.patch", draft),
    "review": ("release-notes", "RELEASE_NOTES.md", release_notes),
}


class Contract:
    """The contract, seen and reported to through kubectl."""

    def __init__(self, namespace: str, name: str) -> None:
        self.namespace, self.name = namespace, name

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl in the contract's namespace."""
        done = subprocess.run(
            ["kubectl", "-n", self.namespace, *arguments], input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def status(self) -> dict[str, object]:
        """Its status now; empty until it is accepted."""
        status: dict[str, object] = (
            json.loads(self.kubectl("get", "contract", self.name, "-o", "json")).get("status") or {}
        )
        return status

    def register(self) -> None:
        """Say that a supervisor is there: a Supervisor of the contract's name, without a pod of its own."""
        manifest = {
            "apiVersion": "makima.dev/v1alpha1",
            "kind": "Supervisor",
            "metadata": {"name": self.name},
            "spec": {},
        }
        self.kubectl("apply", "--server-side", MANAGER, "-f", "-", stdin=json.dumps(manifest))

    def report(self, phase: str, identifier: str, path: Path) -> None:
        """Report one deliverable: a JSON patch that appends, whoever else writes meanwhile."""
        digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        entry = {"phase": phase, "id": identifier, "uri": path.resolve().as_uri(), "digest": digest}
        patch = json.dumps([{"op": "add", "path": "/spec/deliverables/-", "value": entry}])
        self.kubectl("patch", "contract", self.name, "--type=json", MANAGER, "-p", patch)


def carry(contract: Contract, commits: list[Commit], out: Path) -> None:
    """Do the work of each phase the contract comes to, until it is finished."""
    documents: dict[str, str] = {}
    out.mkdir(parents=True, exist_ok=True)
    contract.register()
    while (status := contract.status()).get("state") not in FINISHED:
        phase = str(status.get("phase", ""))
        identifier, file_name, write = WORK.get(phase, ("", "", research_notes))
        if identifier and identifier not in documents:
            documents[identifier] = write(commits, documents)
            path = out / file_name
            path.write_text(documents[identifier])
            contract.report(phase, identifier, path)
            print(f"{phase}: wrote {file_name} ({len(documents[identifier])} characters)", flush=True)
        time.sleep(POLL_SECONDS)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--contract", default="release-notes")
    parser.add_argument("--repository", type=Path, default=Path())
    parser.add_argument("--out", type=Path, default=Path("release-notes"))
    options = parser.parse_args()
    commits = read_history(options.repository)
    if not commits:
        print(f"{options.repository} has no commits", file=sys.stderr)
        return 1
    carry(Contract(options.namespace, options.contract), commits, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
