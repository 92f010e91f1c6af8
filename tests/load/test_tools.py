"""The tools of the benchmark themselves: a generator that miscounts proves nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.load.figures import Target, medians, quantile
from tests.load.http_lane import Lane, LaneBrokenError, open_lane, parse_answer
from tests.load.options import PARTS, parse_options
from tests.load.placing import order_id_of, request_of
from tests.load.report import table
from tests.load.throughput import place_orders

BODY = b'{"orderId":"0198","status":"PENDING"}'
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\ndate: now\r\n\r\n%s" % (len(BODY), BODY)


class Server:
    """Answers every request with the same bytes, in pieces; counts requests by their head."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                self.requests += 1
                for piece in (self.answer[:30], self.answer[30:]):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except asyncio.IncompleteReadError:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    behaviour = Server(ANSWER)
    listener = await asyncio.start_server(behaviour.serve, "127.0.0.1", 0)
    async with listener:
        host, port = listener.sockets[0].getsockname()
        yield behaviour, f"http://{host}:{port}"


async def test_each_order_is_placed_once_when_lanes_share_the_numbers(server: tuple[Server, str]) -> None:
    behaviour, url = server
    posts = await asyncio.wait_for(place_orders([url], range(50), 4, keys=True), 10)
    assert len(posts) == behaviour.requests == 50
    assert all(post.order_id == "0198" and post.took > 0 for post in posts)


async def test_an_exchange_fails_when_the_server_hangs_up() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listener:
        host, port = listener.sockets[0].getsockname()
        lane: Lane = await open_lane(f"http://{host}:{port}")
        with pytest.raises(LaneBrokenError):
            await asyncio.wait_for(lane.exchange(request_of(1)), 5)


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_an_answer_is_whole_when_it_came_in_two_pieces(cut: int) -> None:
    assert parse_answer(ANSWER[:cut]) == (None, ANSWER[:cut])
    answer, rest = parse_answer(ANSWER + ANSWER[:cut])
    assert answer is not None
    assert (answer.status, order_id_of(answer), rest) == (202, "0198", ANSWER[:cut])


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(LaneBrokenError):
        parse_answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_quantiles_are_values_that_occurred() -> None:
    values = [float(n) for n in range(101)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([], 0.5)) == (50, 99, 0)


def test_a_table_marks_what_misses_its_target() -> None:
    runs = [{"orders": 10.0, "commits_per_order": n} for n in (0.5, 1.25, 3.0)]
    assert medians(runs)["commits_per_order"] == 1.25
    text = table("throughput", {"front": runs})
    assert "! 1.25" in text
    assert Target(most=1).holds(1)
    assert not Target(least=1200).holds(1199)


def test_counts_are_one_short_run() -> None:
    options = parse_options(["--counts", "--runs", "5"])
    assert (options.runs, options.orders, options.layouts, options.parts) == (1, 4000, ("front",), PARTS)
