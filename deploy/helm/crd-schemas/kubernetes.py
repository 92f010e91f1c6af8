#!/usr/bin/env python3
"""Write Kubernetes' schemas of one version, out of the package kubernetes-validate, as kubeconform can read them.

There they refer to each other by the paths of a server; here by the names of neighbouring files.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path


def write(version: str, folder: Path) -> None:
    """Write the strict schemas of a version such as 1.36.0."""
    schemas = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}-local-strict"
    folder.mkdir(parents=True, exist_ok=True)
    for source in schemas.iterdir():
        schema = json.loads(source.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        schema.pop("$id", None)
        (folder / source.name).write_text(json.dumps(schema))


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
