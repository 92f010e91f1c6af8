"""What the figures were measured on. Cores and models, no names."""

import os
import platform
import subprocess
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import psutil


def machine() -> dict[str, str]:
    """Return the processors used, memory, kernel and interpreters."""
    return {
        "processors used": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}, {_model()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": f"{platform.python_version()}, {_python_build()}",
        "Node": _said("node", "--version").lstrip("v") or "none",
    }


def commit() -> str:
    """Return the commit, and whether the tree was changed since."""
    changed = _said("git", "status", "--porcelain", "--", "libs", "services", "tests/load")
    return _said("git", "rev-parse", "--short=10", "HEAD") + (" and changes" if changed else "")


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _python_build() -> str:
    """Tell whether the interpreter was built as distributions build it: one that was not takes a fifth to a third longer."""
    given = str(sysconfig.get_config_var("CONFIG_ARGS"))
    return "an optimised build" if "--enable-optimizations" in given else "built without optimisation"


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    except OSError:
        return ""
    return done.stdout.strip()
