"""Write the dashboards into a directory; the same description gives the same bytes."""

import sys
from pathlib import Path

import msgspec
from deploy.dashboards.executor import executor
from deploy.dashboards.overview import overview
from deploy.dashboards.panels import Json
from deploy.dashboards.streams import streams
from deploy.dashboards.venues import venues
from deploy.dashboards.websocket import websocket

DIRECTORY = "deploy/helm/swaprail/dashboards"


def main(directory: Path) -> None:
    """Write one file for each dashboard."""
    for build in (overview, venues, executor, streams, websocket):
        (directory / f"{build.__name__}.json").write_bytes(_text(build()))


def _text(dashboard: Json) -> bytes:
    return msgspec.json.format(msgspec.json.encode(dashboard), indent=2) + b"\n"


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else DIRECTORY))
