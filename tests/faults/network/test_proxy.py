"""The proxy itself, on real sockets: each toxic does what it says, also to connections that are open already."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from swaprail.testing.conditions import until
from tests.faults.network.proxy import Proxy
from tests.faults.network.toxics import BOTH, HEALTHY, Knock, Toxic, Way

type Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that sends back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.got = b""
        self.ended = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                self.got += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.ended += 1
            writer.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    proxy = Proxy(host, port, seed=7)
    proxy.start()
    yield proxy
    await proxy.close()
    server.close()


async def _connect(proxy: Proxy) -> Pair:
    return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", proxy.port), 2)


async def _ask(pair: Pair, data: bytes = b"ping", within_s: float = 2) -> bytes:
    pair[1].write(data)
    return await asyncio.wait_for(pair[0].readexactly(len(data)), within_s)


async def _stays_silent(pair: Pair, data: bytes = b"lost") -> None:
    with pytest.raises(TimeoutError):
        await _ask(pair, data, 0.1)


async def test_bytes_pass_both_ways_when_the_link_is_healthy(proxy: Proxy) -> None:
    data = bytes(range(256)) * 4_000
    assert await _ask(await _connect(proxy), data) == data


async def test_an_end_is_handed_on_when_one_side_hangs_up(proxy: Proxy, echo: Echo) -> None:
    pair = await _connect(proxy)
    await _ask(pair)
    pair[1].close()
    await until(lambda: echo.ended == 1 and proxy.connections == 0, within_s=2)


async def test_answers_come_later_when_latency_is_added(proxy: Proxy) -> None:
    pair = await _connect(proxy)
    await proxy.set(Toxic(latency_s=0.05))
    began = time.monotonic()
    await _ask(pair)
    assert time.monotonic() - began >= 0.1


async def test_order_is_kept_when_latency_jitters(proxy: Proxy) -> None:
    pair = await _connect(proxy)
    await proxy.set(Toxic(jitter_s=0.02))
    sent = [bytes([n]) * 10 for n in range(30)]
    for piece in sent:
        pair[1].write(piece)
        await asyncio.sleep(0)
    assert await asyncio.wait_for(pair[0].readexactly(300), 2) == b"".join(sent)


async def test_so_many_bytes_a_second_pass_when_bandwidth_is_bounded(proxy: Proxy) -> None:
    pair = await _connect(proxy)
    await proxy.set(Toxic(bytes_per_s=20_000))
    began = time.monotonic()
    await _ask(pair, b"x" * 4_000)
    assert time.monotonic() - began >= 0.2


async def test_bytes_come_in_pieces_when_writes_are_sliced(proxy: Proxy) -> None:
    pair = await _connect(proxy)
    await proxy.set(Toxic(slice_bytes=8, slice_pause_s=0.01))
    pair[1].write(b"x" * 100)
    first = await asyncio.wait_for(pair[0].read(100), 2)
    assert len(first) <= 8
    await asyncio.wait_for(pair[0].readexactly(100 - len(first)), 5)


async def test_what_was_kept_arrives_when_a_stalled_link_heals(proxy: Proxy) -> None:
    pair = await _connect(proxy)
    await proxy.set(Toxic(stall=BOTH))
    await _stays_silent(pair)
    await proxy.heal()
    assert await asyncio.wait_for(pair[0].readexactly(4), 2) == b"lost"


async def test_a_connection_that_lost_bytes_stays_mute_when_a_blackhole_heals(proxy: Proxy, echo: Echo) -> None:
    old = await _connect(proxy)
    await _ask(old)
    await proxy.set(Toxic(swallow=BOTH))
    await _stays_silent(old)
    await proxy.heal()
    await _stays_silent(old, b"more")
    assert echo.got == b"ping"
    assert await _ask(await _connect(proxy)) == b"ping"


async def test_a_connection_that_lost_nothing_goes_on_when_a_blackhole_heals(proxy: Proxy) -> None:
    pair = await _connect(proxy)
    await _ask(pair)
    await proxy.set(Toxic(swallow=BOTH))
    await proxy.heal()
    assert await _ask(pair) == b"ping"


async def test_the_server_hears_of_a_hang_up_only_when_the_blackhole_heals(proxy: Proxy, echo: Echo) -> None:
    pair = await _connect(proxy)
    await _ask(pair)
    await proxy.set(Toxic(swallow=BOTH))
    await _stays_silent(pair)
    pair[1].close()
    await asyncio.sleep(0.1)
    assert (echo.ended, proxy.connections) == (0, 1)
    await proxy.heal()
    await until(lambda: echo.ended == 1 and proxy.connections == 0, within_s=2)


@pytest.mark.parametrize(("way", "got"), [(Way.UP, b""), (Way.DOWN, b"lost")])
async def test_one_direction_alone_is_dead_when_half_open(proxy: Proxy, echo: Echo, way: Way, got: bytes) -> None:
    pair = await _connect(proxy)
    await proxy.set(Toxic(swallow=frozenset({way})))
    await _stays_silent(pair)
    assert echo.got == got


async def test_new_connections_are_served_late_when_they_were_met_with_silence(proxy: Proxy, echo: Echo) -> None:
    await proxy.set(Toxic(knock=Knock.SILENT))
    pair = await _connect(proxy)
    await _stays_silent(pair)
    assert echo.got == b""
    await proxy.heal()
    assert await asyncio.wait_for(pair[0].readexactly(4), 2) == b"lost"


async def test_handshakes_get_no_answer_when_nobody_accepts(proxy: Proxy) -> None:
    await proxy.set(Toxic(knock=Knock.IGNORED))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.open_connection("127.0.0.1", proxy.port), 0.3)
    await proxy.heal()
    assert await _ask(await _connect(proxy)) == b"ping"


async def test_open_connections_are_reset_when_resets_begin(proxy: Proxy, echo: Echo) -> None:
    pair = await _connect(proxy)
    await _ask(pair)
    await proxy.set(Toxic(reset_within=2_000))
    with pytest.raises(ConnectionResetError):
        await pair[0].readexactly(1)
    await until(lambda: echo.ended == 1, within_s=2)


async def test_a_new_connection_is_reset_within_so_many_bytes_when_resets_go_on(proxy: Proxy, echo: Echo) -> None:
    await proxy.set(Toxic(reset_within=2_000))
    for _ in range(5):
        pair = await _connect(proxy)
        with pytest.raises(ConnectionResetError):
            await _ask(pair, b"x" * 4_000)


async def test_the_port_is_closed_and_comes_back_when_connections_are_refused(proxy: Proxy) -> None:
    old = await _connect(proxy)
    await _ask(old)
    for _ in range(3):
        await proxy.set(Toxic(knock=Knock.REFUSED))
        with pytest.raises(ConnectionRefusedError):
            await _connect(proxy)
        await proxy.set(HEALTHY)
        assert await _ask(await _connect(proxy)) == b"ping"
    with pytest.raises(ConnectionResetError):
        await old[0].readexactly(1)


async def test_a_client_is_reset_when_the_server_is_not_there(proxy: Proxy) -> None:
    nobody = Proxy("127.0.0.1", 1)
    nobody.start()
    pair = await _connect(nobody)
    with pytest.raises(ConnectionResetError):
        await pair[0].readexactly(1)
    await nobody.close()
