"""Shell scripts that run inside a workspace: POSIX sh and git, nothing else. Every value comes by the environment.

Nothing is lost by clearing up: what a task left uncommitted is committed to the branch of its worktree
(`makima/<task>`), and branches stay.
"""

from __future__ import annotations

GIT = "git -c safe.directory='*'"
"""Files may belong to another user of the same pod; the repository is the contract's own."""

ADD_WORKTREE = f"""\
cd "$REPOSITORY"
[ -e "$WORKTREE/.git" ] && exit 0
mkdir -p "$(dirname "$WORKTREE")"
{GIT} worktree prune
if {GIT} show-ref -q --verify "refs/heads/$BRANCH"; then {GIT} worktree add "$WORKTREE" "$BRANCH"
else {GIT} worktree add -b "$BRANCH" "$WORKTREE"; fi
"""
"""A retry finds the worktree of the try before it, with what that left there, or at least its branch."""

CLEAR_WORKTREES = f"""\
removed=0; left=0; failed=0; orphans=0
clear_away() {{
  {GIT} -C "$1" add -A && {GIT} -C "$1" diff --cached --quiet || {GIT} -C "$1" -c user.name=makima \\
    -c user.email=makima@makima.dev commit -q --no-verify -m "Left in the worktree of task $(basename "$1")" || return 1
  {GIT} -C "$REPOSITORY" worktree remove --force "$1"
}}
for tree in "$WORKTREES"/*/; do
  tree=${{tree%/}}
  [ -e "$tree/.git" ] || continue
  name=$(basename "$tree")
  case " $OPEN " in *" $name "*) left=$((left + 1)); continue ;; esac
  case " $ENDED " in
    *" $name "*) ;;
    *) [ "$(stat -c %Y "$tree/.git")" -lt "$BEFORE" ] || {{ left=$((left + 1)); continue; }} ;;
  esac
  if [ -n "${{ONLY_COUNT:-}}" ]; then orphans=$((orphans + 1))
  elif clear_away "$tree"; then removed=$((removed + 1)); else failed=$((failed + 1)); orphans=$((orphans + 1)); fi
done
[ -n "${{ONLY_COUNT:-}}" ] || {GIT} -C "$REPOSITORY" worktree prune
printf '{{"removed":%d,"left":%d,"failed":%d,"orphans":%d}}' "$removed" "$left" "$failed" "$orphans" \\
  | tee "${{REPORT:-/dev/termination-log}}"
"""
"""Takes away the worktrees of ended tasks, and of tasks that nobody knows once they are older than BEFORE.

With ONLY_COUNT it only counts them."""
