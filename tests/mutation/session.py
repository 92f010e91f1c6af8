"""One module's session of cosmic-ray, through its command line: kept outside the copy, so that it can be resumed."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from swaprail_local.servers.process import dies_with_parent
from tests.forks.client import forks
from tests.mutation.groups import Module
from tests.mutation.mutants import Dump, read_dump
from tests.mutation.verdict import EXPLAINED, key_of, read_explanations
from tests.tree_copy import ROOT, environment_of, files_of_tree

HOME = ROOT / ".mutation"
_BIN = ROOT / ".tools" / "mutation" / "bin"
_TEXT = re.compile(r"\.md$|^docs/|/survivors\.toml$")
# Longer than all stages of a module together: each has a limit of its own.
_LONGEST_S = 3_600
_CONFIG = """[cosmic-ray]
module-path = "{module}"
timeout = {longest}
excluded-modules = []
test-command = "{python} -m tests.mutation.kill {module}"

[cosmic-ray.distributor]
name = "local"
"""


def fingerprint_of_tree() -> str:
    """Return a digest of all files but texts: what another tree's tests said of a mutant is no result of this one's."""
    digest = sha256()
    for name in sorted(name for name in files_of_tree() if not _TEXT.search(name)):
        digest.update(f"{name}\0{sha256((ROOT / name).read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


class Session:
    """The mutants of one module, and what is known of them so far."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._source = (ROOT / module.path).read_text(encoding="utf-8")
        self._home = HOME / module.path.replace("/", "-").removesuffix(".py")
        self._config, self._file, self._state = (
            self._home / name for name in ("config.toml", "session.sqlite", "state.json")
        )

    @property
    def carried(self) -> int:
        """Return how many were tried over an earlier tree, with the same module."""
        return int(str(self._read_state().get("carried", 0)))

    def prepare(self, tree: str, *, carry: bool) -> None:
        """Find the mutants; of those that were tried over this very tree the results stay.

        carry: what was killed over an earlier tree, or survived and is explained, counts too, if the module is the
        same: tests are added, and hardly ever taken away.
        """
        state = self._read_state()
        resumed = state.get("tree") == tree
        known = self._file.exists() and (resumed or (carry and state.get("source") == self._source))
        self._home.mkdir(parents=True, exist_ok=True)
        again = self._unexplained() if known and not resumed else []
        told = ["--known-in", str(self._file), "--again", *again] if known else []
        fresh = self._find_mutants(told)
        carried = state.get("carried") if resumed else len(self._dump(fresh).mutants)
        # Only now, and quickly: whoever is stopped before has lost nothing.
        self._state.unlink(missing_ok=True)
        fresh.replace(self._file)
        self._state.write_text(json.dumps({"tree": tree, "source": self._source, "carried": carried}), encoding="utf-8")

    def run(self, copy: Path) -> None:
        """Try what was not tried yet, in the copy."""
        with forks(self.module.tests, copy, environment_of(copy)) as environment:
            self._call("cosmic-ray", "exec", str(self._config), str(self._file), cwd=copy, env=environment)

    def dump(self) -> Dump:
        """Return what is known so far."""
        return self._dump(self._file)

    def _dump(self, file: Path) -> Dump:
        return read_dump(self._call("cosmic-ray", "dump", str(file), cwd=ROOT).splitlines(), self._source)

    def _find_mutants(self, told: Sequence[str]) -> Path:
        """Return a session of all mutants, some of them left out or known."""
        fresh = self._home / "fresh.sqlite"
        fresh.unlink(missing_ok=True)
        self._config.write_text(
            _CONFIG.format(module=self.module.path, longest=_LONGEST_S, python=sys.executable), encoding="utf-8"
        )
        self._call("cosmic-ray", "init", str(self._config), str(fresh), cwd=ROOT)
        self._call("swaprail-mutants-filter", str(fresh), *told, cwd=ROOT)
        return fresh

    def _unexplained(self) -> list[str]:
        """Return those that survived for no reason that is known: a test may have been added for them."""
        explained = read_explanations(EXPLAINED.read_text(encoding="utf-8"))
        return [m.job for m in self.dump().mutants if m.noticed is None and key_of(m) not in explained]

    def _read_state(self) -> dict[str, object]:
        return dict(json.loads(self._state.read_text(encoding="utf-8"))) if self._state.exists() else {}

    @staticmethod
    def _call(command: str, *arguments: str, cwd: Path, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [str(_BIN / command), *arguments],
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        return done.stdout
