from pathlib import Path

import pytest

NAMES = ("executor", "router", "notifier", "api")

STAND_IN = """
import os, signal, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

NAME = __package__.removeprefix("swaprail_")
PORT = int(os.environ["PORT" if NAME == "api" else "OPS_PORT"])


class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def stop(*_):
    with open(os.environ["STOPPED"], "a") as told:
        told.write(NAME + " ")
    os._exit(0)


signal.signal(signal.SIGTERM, stop)
print("hello from", NAME, os.environ["LOG_FORMAT"])
HTTPServer(("127.0.0.1", PORT), Ready).serve_forever()
"""


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Services that only answer health checks; returns the file in which they note the order of their end."""
    home = tmp_path / "stand_ins"
    for name in NAMES:
        package = home / f"swaprail_{name}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(STAND_IN)
    stopped = tmp_path / "stopped"
    stopped.touch()
    monkeypatch.setenv("PYTHONPATH", str(home))
    monkeypatch.setenv("STOPPED", str(stopped))
    return stopped
