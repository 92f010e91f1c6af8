import asyncio
import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from swaprail_local.__main__ import main
from swaprail_local.options import RunOptions
from swaprail_local.prepare_database import DatabaseUnavailableError, prepare_database
from swaprail_local.run import CannotListenError, Run
from swaprail_local.servers.ports import free_port
from swaprail_local.servers.process import command_line
from swaprail_local.settings import LocalSettings
from swaprail_local.supervision.data_lock import DataInUseError, DataLock
from swaprail_local.supervision.output import Output
from swaprail_local.supervision.status_file import RunStatus, read_status

SERVICES = {"api", "notifier", "router", "executor"}


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="swaprail-run-"))
    home.chmod(0o755)
    monkeypatch.setenv("DATA_DIR", str(home))
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("DRAIN_TIMEOUT_S", "2")
    yield home
    shutil.rmtree(home, ignore_errors=True)


async def status_when(home: Path, condition: Callable[[RunStatus], bool], timeout_s: float = 60) -> RunStatus:
    async with asyncio.timeout(timeout_s):
        while True:
            with contextlib.suppress(FileNotFoundError):
                status = read_status(home / "status.json")
                if status.ready and condition(status):
                    return status
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(home: Path, output: io.StringIO | None = None, *, reload: bool = False) -> AsyncIterator[RunStatus]:
    run = Run(LocalSettings(), RunOptions(separate=True, reload=reload), Output(output or io.StringIO()))
    task = asyncio.create_task(run.until_stopped())
    waiting = asyncio.create_task(status_when(home, lambda _: True))
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        task.result()
    try:
        yield await waiting
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(60):
            await task


def replaced(name: str, before: int, now: RunStatus) -> bool:
    return now.pids.get(name, before) != before


async def fetch(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_rows_are_kept_and_services_stop_in_order_when_a_run_ends(stand_ins: Path, data: Path) -> None:
    output = io.StringIO()
    async with running(data, output) as status:
        assert set(status.pids) == SERVICES | {"postgres", "valkey"}
        assert await fetch(status.dsn, "select count(*) from orders") == 0
        await fetch(status.dsn, "create table kept as select 42 as answer")
    assert stand_ins.read_text().split() == ["api", "notifier", "router", "executor"]  # noqa: ASYNC240
    assert not any(command_line(pid) for pid in status.pids.values())
    assert not (data / "status.json").exists()
    text = output.getvalue()
    assert f"Swaprail is ready: {status.url}" in text
    assert "curl" in text
    assert "router   | hello from router text" in text

    async with running(data) as again:
        assert await fetch(again.dsn, "select answer from kept") == 42
        assert again.dsn == status.dsn


async def test_dead_processes_are_replaced_when_killed(stand_ins: Path, data: Path) -> None:
    async with running(data) as status:
        for name in ("router", "valkey", "postgres"):
            os.kill(status.pids[name], signal.SIGKILL)
            await status_when(data, partial(replaced, name, status.pids[name]))
        await prepare_database(status.dsn)  # waits until it accepts connections
        assert await fetch(status.dsn, "select count(*) from orders") == 0


async def test_embedded_servers_are_left_out_when_others_are_named(
    stand_ins: Path, data: Path, database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("REDIS_URL", redis_url)
    async with running(data) as status:
        assert set(status.pids) == SERVICES
        assert (status.dsn, status.redis_url) == (database, redis_url)


async def test_a_run_is_refused_when_its_port_is_taken(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        with pytest.raises(CannotListenError, match=r"PORT=\d+ make run"):
            await Run(LocalSettings(), RunOptions(), Output(io.StringIO())).until_stopped()


@pytest.mark.parametrize("host", ["x86_64-conda-linux-gnu", "203.0.113.7"])
async def test_host_is_named_when_nothing_can_listen_there(
    data: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", str(free_port()))
    with pytest.raises(CannotListenError, match=f"HOST={host}") as refused:
        await Run(LocalSettings(), RunOptions(), Output(io.StringIO())).until_stopped()
    assert "is taken" not in str(refused.value)


async def test_a_run_is_refused_when_another_uses_its_data(data: Path) -> None:
    held = DataLock(data)
    with pytest.raises(DataInUseError):
        await Run(LocalSettings(), RunOptions(), Output(io.StringIO())).until_stopped()
    held.release()


def test_the_command_says_why_and_fails_when_a_run_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = DataLock(data)
    with pytest.raises(SystemExit) as caught:
        main(["run"])
    held.release()
    assert caught.value.code == 1
    assert "Another run" in capsys.readouterr().out


@pytest.mark.system
async def test_nothing_is_left_when_the_supervisor_is_killed(stand_ins: Path, data: Path) -> None:
    # The stand-ins are for the children: the supervisor itself needs the settings of the real services.
    program = "import os, sys; sys.path.remove(os.environ['PYTHONPATH']); from swaprail_local.__main__ import main; "
    command = [sys.executable, "-c", program + "main(['run', '--separate'])"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as supervisor:  # noqa: ASYNC220
        status = await status_when(data, lambda _: True)
        supervisor.kill()
    async with asyncio.timeout(20):
        while any(command_line(pid) for pid in status.pids.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    async with running(data) as again:
        assert set(again.pids) == set(status.pids)


async def test_the_database_is_created_when_there_is_none(database: str) -> None:
    dsn = f"{database}_new"
    await prepare_database(dsn)
    assert await fetch(dsn, "select count(*) from orders") == 0
    await prepare_database(dsn)


async def test_an_unreachable_database_is_told_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swaprail_local.prepare_database.CONNECT_TIMEOUT_S", 0.1)
    with pytest.raises(DatabaseUnavailableError, match="cannot be reached"):
        await prepare_database(f"postgresql://postgres@127.0.0.1:{free_port()}/x")


async def test_services_start_anew_when_the_source_changes(
    stand_ins: Path, data: Path, database: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "libs" / "common" / "src" / "changed.py"
    source.parent.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("REDIS_URL", redis_url)
    async with running(data, reload=True) as status:

        async def edit() -> None:
            while True:  # the first edits may come before the watching begins
                source.write_text(f"x = {time.time_ns()}\n")
                await asyncio.sleep(0.5)

        editing = asyncio.create_task(edit())
        await status_when(data, partial(replaced, "router", status.pids["router"]))
        editing.cancel()
