#!/usr/bin/env python3
"""Write the JSON schemas beside this file from the CRDs' own manifests, taken from their Go modules (needs go)."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
MODULES = {
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": [
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ],
    "sigs.k8s.io/gateway-api@v1.6.3": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
    "github.com/kedacore/keda/v2@v2.21.0": [
        "config/crd/bases/keda.sh_scaledobjects.yaml",
        "config/crd/bases/keda.sh_triggerauthentications.yaml",
    ],
}
# Kubernetes validates an object's metadata itself, and nobody writes a status.
LEFT_TO_KUBERNETES = {"metadata": {"type": "object"}}
INT_OR_STRING = {"oneOf": [{"type": "integer"}, {"type": "string"}]}


def module_folder(module: str) -> Path:
    """Return where go keeps the module, downloading it first if need be."""
    answer = subprocess.run(  # noqa: S603 - names listed above
        ["go", "mod", "download", "-json", module],  # noqa: S607 - the go of whoever renews the schemas
        check=True,
        capture_output=True,
    )
    return Path(json.loads(answer.stdout)["Dir"])


def strict(node: Any) -> Any:
    """Return a CRD's schema as plain JSON schema that refuses unknown properties, without its descriptions."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return INT_OR_STRING
    kept = {key: value for key, value in node.items() if not key.startswith("x-kubernetes-") and key != "default"}
    if isinstance(kept.get("description"), str):
        del kept["description"]
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: strict(value) for name, value in kept["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            kept.setdefault("additionalProperties", False)
    return {key: value if key == "properties" else strict(value) for key, value in kept.items()}


def served_version(crd: dict[str, Any], version: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one version of a CRD."""
    names = crd["spec"]["names"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"] |= LEFT_TO_KUBERNETES
    schema["properties"].pop("status", None)
    schema["properties"]["apiVersion"] = {"const": f"{crd['spec']['group']}/{version['name']}"}
    schema["properties"]["kind"] = {"const": names["kind"]}
    schema["required"] = sorted({*schema.get("required", []), "apiVersion", "kind", "metadata"} - {"status"})
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}


def write(crd: dict[str, Any]) -> None:
    for version in crd["spec"]["versions"]:
        if not version["storage"]:
            continue
        kind = crd["spec"]["names"]["kind"].lower()
        group = crd["spec"]["group"].split(".")[0]
        path = HERE / f"{kind}-{group}-{version['name']}.json"
        path.write_text(json.dumps(served_version(crd, version), separators=(",", ":"), sort_keys=True) + "\n")


def main() -> None:
    for module, manifests in MODULES.items():
        folder = module_folder(module)
        for manifest in manifests:
            write(yaml.safe_load((folder / manifest).read_text()))


if __name__ == "__main__":
    main()
