import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from swaprail_local.supervision.backoff import FORGIVEN_AFTER_S, LONGEST_S, Backoff
from swaprail_local.supervision.child import Child, ChildFailedError, ProcessSpec, describe
from swaprail_local.supervision.data_lock import DataInUseError, DataLock
from swaprail_local.supervision.output import Output
from swaprail_local.supervision.readiness import answers
from swaprail_local.supervision.status_file import RunStatus, read_status, write_status
from swaprail_local.supervision.supervisor import Supervisor

SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


async def until(condition: Callable[[], bool], timeout_s: float = 15) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _at_once() -> bool:
    return True


def program(
    name: str, code: str, ready: Callable[[], Awaitable[bool]] = _at_once, stop_timeout_s: float = 10
) -> ProcessSpec:
    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-S", "-c", code])

    return ProcessSpec(name=name, spawn=spawn, ready=ready, stop_timeout_s=stop_timeout_s)


class Crew:
    """A supervisor, what it said and how often it reported a change."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.changes = 0
        self.forced = asyncio.Event()
        self.supervisor = Supervisor(self.said.append, self._changed)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def crew() -> AsyncIterator[Crew]:
    crew = Crew()
    yield crew
    crew.forced.set()
    await crew.supervisor.stop(crew.forced)


async def test_a_process_is_started_again_when_it_dies(crew: Crew) -> None:
    await crew.supervisor.start([program("worker", SLEEP)], 5)
    first = crew.supervisor.pids["worker"]
    os.kill(first, signal.SIGKILL)
    await until(lambda: crew.supervisor.pids.get("worker", first) != first)
    assert "worker ended (SIGKILL) and starts again in 0.2 s" in crew.said
    assert crew.changes >= 3


async def test_the_last_started_stops_first_when_all_stop(crew: Crew, tmp_path: Path) -> None:
    def tells(name: str) -> ProcessSpec:
        told, up = tmp_path / "order", tmp_path / f"{name}.up"
        code = (
            "import pathlib, signal, sys, time\n"
            f"def stop(*_): open({str(told)!r}, 'a').write('{name} '); sys.exit(0)\n"
            f"signal.signal(signal.SIGTERM, stop); pathlib.Path({str(up)!r}).touch(); time.sleep(600)"
        )

        async def ready() -> bool:
            return up.exists()

        return program(name, code, ready)

    await crew.supervisor.start([tells("database")], 5)
    await crew.supervisor.start([tells("executor"), tells("router"), tells("front")], 5)
    await crew.supervisor.stop(crew.forced)
    assert (tmp_path / "order").read_text().split() == ["front", "router", "executor", "database"]
    assert crew.supervisor.pids == {}


async def test_a_process_is_killed_when_it_ignores_the_request_to_stop(crew: Crew) -> None:
    await crew.supervisor.start([program("stubborn", STUBBORN, stop_timeout_s=0.2)], 5)
    await crew.supervisor.stop(crew.forced)
    assert crew.supervisor.pids == {}


async def test_stopping_is_immediate_when_forced(crew: Crew) -> None:
    await crew.supervisor.start([program("stubborn", STUBBORN, stop_timeout_s=600)], 5)
    stopping = asyncio.create_task(crew.supervisor.stop(crew.forced))
    crew.forced.set()
    async with asyncio.timeout(5):
        await stopping
    assert crew.supervisor.pids == {}


async def test_the_start_fails_when_a_process_dies_again_and_again(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> bool:
        return False

    monkeypatch.setattr("swaprail_local.supervision.backoff.FIRST_S", 0.001)
    with pytest.raises(ExceptionGroup) as caught:
        await crew.supervisor.start([program("broken", "raise SystemExit(3)", never)], 30)
    assert caught.group_contains(ChildFailedError, match="broken ended 5 times before it was ready .exit code 3")


async def test_the_start_fails_when_a_process_does_not_get_ready(crew: Crew) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(ExceptionGroup) as caught:
        await crew.supervisor.start([program("slow", SLEEP, never)], 0.2)
    assert caught.group_contains(ChildFailedError, match="slow was not ready within 0 s")


async def test_the_run_fails_when_a_process_cannot_be_started_again(crew: Crew) -> None:
    programs = [[sys.executable, "-S", "-c", SLEEP], ["/nonexistent"]]

    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(programs.pop(0))

    await crew.supervisor.start([ProcessSpec(name="gone", spawn=spawn, ready=_at_once)], 5)
    os.kill(crew.supervisor.pids["gone"], signal.SIGTERM)
    with pytest.raises(FileNotFoundError):
        async with asyncio.timeout(10):
            await crew.supervisor.failed()


async def test_a_process_starts_at_once_when_it_is_replaced(crew: Crew) -> None:
    await crew.supervisor.start([program("worker", SLEEP), program("other", SLEEP)], 5)
    before = crew.supervisor.pids
    await crew.supervisor.replace(["worker"], 5)
    await until(lambda: crew.supervisor.pids.get("worker", 0) not in (0, before["worker"]))
    assert crew.supervisor.pids["other"] == before["other"]
    assert crew.said == []


async def test_a_waiting_process_starts_at_once_when_it_is_replaced() -> None:
    started: list[int] = []

    def spawn() -> subprocess.Popen[bytes]:
        started.append(1)
        return subprocess.Popen([sys.executable, "-S", "-c", SLEEP if len(started) > 1 else "raise SystemExit(1)"])

    said: list[str] = []
    child = Child(ProcessSpec(name="worker", spawn=spawn, ready=_at_once), said.append)
    child.start()
    await until(lambda: bool(said))
    await child.replace(5)
    await until(lambda: child.pid is not None)
    forced = asyncio.Event()
    forced.set()
    await child.stop(forced)


def test_the_wait_grows_when_deaths_come_early_and_is_forgiven_after_a_while() -> None:
    backoff = Backoff()
    waits = [backoff.after(0) for _ in range(10)]
    assert waits[:3] == [0.2, 0.4, 0.8]
    assert waits[-1] == LONGEST_S
    assert backoff.after(FORGIVEN_AFTER_S) == 0.2


def test_an_end_is_described_by_its_signal_when_there_is_one() -> None:
    assert [describe(1), describe(-9), describe(-200)] == ["exit code 1", "SIGKILL", "signal 200"]


def test_data_are_refused_when_another_run_holds_them(tmp_path: Path) -> None:
    held = DataLock(tmp_path)
    with pytest.raises(DataInUseError, match=f"process {os.getpid()}"):
        DataLock(tmp_path)
    held.release()
    DataLock(tmp_path).release()


def test_lines_are_marked_and_swallowed_when_the_reader_is_gone() -> None:
    target = io.StringIO()
    output = Output(target)
    output.say("one\ntwo")
    output.write("router", "three")
    assert target.getvalue() == "swaprail | one\nswaprail | two\nrouter   | three\n"
    target.close()
    output.say("nobody reads this")


def test_output_is_copied_when_a_process_writes() -> None:
    target = io.StringIO()
    process = subprocess.Popen([sys.executable, "-S", "-c", "print('a'); print('b')"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    copying = Output(target).follow("worker", process.stdout)
    copying.join(10)
    process.wait(10)
    assert target.getvalue() == "worker   | a\nworker   | b\n"


def test_the_status_is_private_when_written(tmp_path: Path) -> None:
    status = RunStatus(True, "http://h:1", "ws://h:1", "postgresql://u:p@h/d", "redis://h", {"api": 1}, {})
    file = tmp_path / "below" / "status.json"
    write_status(file, status)
    assert read_status(file) == status
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("answer", "ready"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", True), (b"HTTP/1.1 503 Busy\r\n\r\n", False), (b"nonsense\r\n", False), (b"", False)],
)
async def test_a_service_is_ready_only_when_it_answers_200(answer: bytes, ready: bool) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await answers("127.0.0.1", port) is ready
    assert not await answers("127.0.0.1", port)
