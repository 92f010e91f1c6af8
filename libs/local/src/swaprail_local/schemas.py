"""Write the schemas of HTTP, WebSocket and topics into schemas/; the same code gives the same bytes."""

from pathlib import Path
from typing import Any

import msgspec

from swaprail_api.app import build
from swaprail_api.settings import ApiSettings
from swaprail_local.asyncapi import asyncapi_document
from swaprail_local.message_schemas import topics_document

DIRECTORY = Path("schemas")


def documents() -> dict[str, bytes]:
    """Return the content of each file by its name."""
    return {
        "openapi.json": build(ApiSettings(_env_file=None)).openapi,
        "asyncapi.json": _text(asyncapi_document()),
        "topics.json": _text(topics_document()),
    }


def main() -> None:
    """Write the files into the checkout in the working directory."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, content in documents().items():
        (DIRECTORY / name).write_bytes(content)


def _text(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2) + b"\n"


if __name__ == "__main__":
    main()
