"""Put the packages of wheels in the place of those that are installed: `python replace.py FOLDER`."""

import compileall
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

SITE = Path(sysconfig.get_path("purelib"))


def replace(wheel: Path) -> None:
    """Replace the package of the wheel, if there is one of its name."""
    installed = SITE / wheel.name.partition("-")[0]
    if not installed.exists():
        return
    shutil.rmtree(installed)
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(SITE)
    compileall.compile_dir(installed, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


if __name__ == "__main__":
    for each in sorted(Path(sys.argv[1]).glob("*.whl")):
        replace(each)
