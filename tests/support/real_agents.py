"""codex, opencode and claude from npm, set up to speak with a model on loopback and with nobody else."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from makima.sandbox.locking import exclusive
from tests.support.model_double import ModelDouble

CODEX = "codex-native@npm:@openai/codex@0.169.0-linux-x64"
OPENCODE = "opencode-linux-x64@1.18.33"
OPENCODE_BASELINE = "opencode-linux-x64-baseline@1.18.33"
CLAUDE = "@anthropic-ai/claude-code-linux-x64@2.1.332"
CHOSEN = tuple(os.environ.get("MAKIMA_AGENTS", "codex,opencode").split(","))
"""Which are tested. The package of claude has 400 MB and is no free software: it has to be asked for."""

INSTALL_SECONDS = 240


class CannotBeHad(Exception):
    """The programs can't be installed here, and why."""


@dataclass(frozen=True)
class RealAgent:
    """One of the programs, and how it is run."""

    name: str
    binary: Path

    def command(self, prompt: str) -> tuple[str, ...]:
        """Do this, and print lines."""
        if self.name == "codex":
            return (str(self.binary), "exec", "--json", "--skip-git-repo-check", prompt)
        if self.name == "claude":
            allowed = "--allowedTools=Bash,mcp__makima"
            return (str(self.binary), "-p", "--output-format", "stream-json", "--verbose", allowed, prompt)
        return (str(self.binary), "run", "--format", "json", "--title", "work", prompt)

    def configure(self, home: Path, model: ModelDouble) -> dict[str, str]:
        """Write its configuration into a home; what its environment needs besides."""
        if self.name == "codex":
            (home / ".codex").mkdir(parents=True, exist_ok=True)
            (home / ".codex" / "config.toml").write_text(CODEX_CONFIG.format(url=model.url))
            return {"MODEL_KEY": "dummy"}
        if self.name == "claude":
            return {
                "ANTHROPIC_BASE_URL": model.url.removesuffix("/v1"),
                "ANTHROPIC_API_KEY": "dummy",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "ENABLE_TOOL_SEARCH": "false",  # the model on loopback does not search for a tool that it was told of
            }
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": model.url, "apiKey": "dummy"},
            "models": {"m": {"name": "m"}},
        }
        configuration = {
            "model": "double/m",
            "small_model": "double/m",
            "enabled_providers": ["double"],
            "permission": {"*": "allow"},
            "autoupdate": False,
            "share": "disabled",
            "provider": {"double": provider},
        }
        (home / "opencode.json").write_text(json.dumps(configuration))
        return {
            "OPENCODE_CONFIG": str(home / "opencode.json"),
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "npm_config_offline": "true",
        }


CODEX_CONFIG = """
model = "m"
model_provider = "double"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
[model_providers.double]
name = "double"
base_url = "{url}"
wire_api = "responses"
env_key = "MODEL_KEY"
request_max_retries = 1
stream_max_retries = 1
[analytics]
enabled = false
[features]
plugins = false
apps = false
"""


def installed(name: str) -> RealAgent:
    """The program, installed once per user and version.

    Raises:
        CannotBeHad: there is no npm, no package for this machine, or no registry.
    """
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        raise CannotBeHad("the packages are for Linux on x86-64")
    opencode = OPENCODE if "avx2" in _cpu() else OPENCODE_BASELINE
    package = {"codex": CODEX, "opencode": opencode, "claude": CLAUDE}[name]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "makima" / "agents"
    folder = cache / package.replace("/", "_").replace(":", "_")
    cache.mkdir(parents=True, exist_ok=True)
    with exclusive(cache / f"{name}.lock"):
        if not (folder / "done").exists():
            _install(package, folder)
    return RealAgent(name, next(path for path in folder.rglob(name) if path.is_file() and os.access(path, os.X_OK)))


def _install(package: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotBeHad("there is no npm")
    folder.mkdir(exist_ok=True)
    command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, cwd=folder, check=False)
    except subprocess.TimeoutExpired:
        raise CannotBeHad(f"npm did not get {package} within {INSTALL_SECONDS} s") from None
    if done.returncode != 0:
        raise CannotBeHad(f"npm can't get {package}: {done.stderr.strip()[-300:]}")
    (folder / "done").touch()


def _cpu() -> str:
    return Path("/proc/cpuinfo").read_text()
