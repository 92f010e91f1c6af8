"""What is forked behaves as what is started by `python -m`: its death, its signals, its environment, its output."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.system.engine import Engine
from tests.system.zygote import Forked

pytestmark = [pytest.mark.system]


async def test_a_forked_service_is_its_own_process_when_it_starts_is_killed_and_stops(
    database: str, redis_url: str, tmp_path: Path
) -> None:
    engine = Engine(database, redis_url, tmp_path)
    engine.fork = True
    engine.extra["router-2"] = {"WORKER_NAME": "second"}
    try:
        await engine.start(["router", "router-2"])
        first, second = engine.processes["router"], engine.processes["router-2"]
        assert isinstance(first, Forked)
        assert isinstance(second, Forked)
        assert '"worker": "second"' in engine.log("router-2").read_text()
        inherited = {Path(os.readlink(f"/proc/{second.pid}/fd/{fd}")).name for fd in (1, 2)}
        assert inherited == {"router-2.log"}
        first.send_signal(signal.SIGSTOP)
        assert first.poll() is None
        engine.kill("router")
        assert (first.returncode, second.poll()) == (-signal.SIGKILL, None)
        assert not psutil.pid_exists(first.pid)
        assert engine.stop("router-2") == 0
    finally:
        engine.close()


async def test_a_forked_service_ends_as_by_itself_when_its_settings_are_refused(
    database: str, redis_url: str, tmp_path: Path
) -> None:
    engine = Engine(database, redis_url, tmp_path, app_env="production")
    engine.fork = True
    engine.spawn("api")
    assert engine.processes["api"].wait(20) == 1
    assert "CURSOR_SECRET" in engine.log("api").read_text()
