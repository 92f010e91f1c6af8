import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from swaprail_client import Backoff, StatusMessage, SwaprailClient, SwaprailError

OTHER = "01920000-0000-7000-8000-000000000002"
LIVE = datetime(2029, 1, 1, tzinfo=UTC)


async def seen(client: SwaprailClient, order_id: str, after: int = 0) -> list[int]:
    return [message.seq async for message in client.watch(order_id, after)]


async def test_watch_ends_after_the_last_step(engine: Any, client: SwaprailClient, fake: Any) -> None:
    messages = [message async for message in client.watch(fake.order_id)]
    assert [message.seq for message in messages] == [1, 2, 3, 4, 5]
    assert messages[-1].ends
    assert engine.sockets[0].headers["authorization"] == "Bearer swr_key_secret"


async def test_watch_resumes_when_the_connection_is_cut_after_every_step(
    engine: Any, relay: Any, client: SwaprailClient, fake: Any
) -> None:
    async def one_step(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(int(socket.request.query["after"]) + 1))
        await socket.until_closed()

    engine.script = one_step
    found = []
    async for message in client.watch(fake.order_id):
        found.append(message.seq)
        relay.cut()
    assert found == [1, 2, 3, 4, 5]
    assert [request.query["after"] for request in engine.sockets] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, 4008])
async def test_watch_resumes_when_the_server_closes(engine: Any, client: SwaprailClient, fake: Any, code: int) -> None:
    async def two_steps(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(1), fake.step(2))
        await socket.close(code)

    engine.scripts = [two_steps]
    assert await seen(client, fake.order_id) == [1, 2, 3, 4, 5]
    assert engine.sockets[1].query["after"] == "2"


async def test_watch_drops_what_was_seen(engine: Any, client: SwaprailClient, fake: Any) -> None:
    async def repeating(socket: Any) -> None:
        await socket.accept()
        await socket.say(*(fake.step(seq) for seq in [1, 1, 2, 1, 2, 3, 3, 4, 2, 5, 5]))
        await socket.until_closed()

    engine.script = repeating
    assert await seen(client, fake.order_id) == [1, 2, 3, 4, 5]


async def test_watch_asks_again_when_a_step_is_missing(engine: Any, client: SwaprailClient, fake: Any) -> None:
    async def skipping(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(1), fake.step(3))
        await socket.until_closed()

    engine.scripts = [skipping]
    assert await seen(client, fake.order_id) == [1, 2, 3, 4, 5]
    assert [request.query["after"] for request in engine.sockets] == ["0", "1"]


@pytest.mark.parametrize("noise", ["{", '{"type":"status"}', "[]"])
async def test_watch_asks_again_when_a_message_is_unreadable(
    engine: Any, client: SwaprailClient, fake: Any, noise: str
) -> None:
    async def babbling(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(1), noise)
        await socket.until_closed()

    engine.scripts = [babbling]
    assert await seen(client, fake.order_id) == [1, 2, 3, 4, 5]


async def test_watch_passes_over_messages_of_other_types(engine: Any, client: SwaprailClient, fake: Any) -> None:
    async def chatty(socket: Any) -> None:
        await socket.accept()
        await socket.say({"type": "notice", "text": "hello"}, *(fake.step(seq) for seq in range(1, 6)))
        await socket.until_closed()

    engine.scripts = [chatty]
    assert await seen(client, fake.order_id) == [1, 2, 3, 4, 5]
    assert len(engine.sockets) == 1


async def test_watch_opens_no_socket_when_the_order_ended_before(
    engine: Any, client: SwaprailClient, fake: Any
) -> None:
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(200, fake.order("CONFIRMED", 5)))
    assert await seen(client, fake.order_id, after=5) == []
    assert engine.sockets == []


async def test_watch_starts_after_the_step_it_is_told(engine: Any, client: SwaprailClient, fake: Any) -> None:
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(200, fake.order("SUBMITTED", 4)))
    assert await seen(client, fake.order_id, after=3) == [4, 5]


async def test_watch_raises_when_the_handshake_is_refused(engine: Any, client: SwaprailClient, fake: Any) -> None:
    problem = fake.answer(404, {"code": "order_not_found", "title": "There is no such order", "retryable": False})
    engine.script = lambda socket: socket.refuse(problem)
    with pytest.raises(SwaprailError) as caught:
        await seen(client, fake.order_id)
    assert (caught.value.code, caught.value.status) == ("order_not_found", 404)
    assert len(engine.sockets) == 1


async def test_watch_raises_when_it_is_closed_for_good(engine: Any, client: SwaprailClient, fake: Any) -> None:
    async def expel(socket: Any) -> None:
        await socket.accept()
        await socket.close(1008, "the key was revoked")

    engine.script = expel
    with pytest.raises(SwaprailError, match="the key was revoked"):
        await seen(client, fake.order_id)
    assert len(engine.sockets) == 1


async def test_watch_goes_on_when_the_server_was_full(engine: Any, client: SwaprailClient, fake: Any) -> None:
    full = fake.answer(503, {"code": "overloaded", "retryable": True}, {"retry-after": "0"})
    engine.scripts = [lambda socket: socket.refuse(full)] * 2
    assert await seen(client, fake.order_id) == [1, 2, 3, 4, 5]


async def test_watch_goes_on_when_a_proxy_answers_for_a_notifier_that_is_away(
    engine: Any, client: SwaprailClient, fake: Any
) -> None:
    engine.scripts = [lambda socket: socket.refuse(fake.answer(404, b"404 page not found"))] * 2
    assert await seen(client, fake.order_id) == [1, 2, 3, 4, 5]


async def test_watch_gives_up_when_nobody_can_be_reached(relay: Any, url: str, fake: Any) -> None:
    relay.stop()
    async with SwaprailClient(url, give_up_after=0.3, backoff=Backoff(0.01, 0.05, 0.01)) as client:
        with pytest.raises(SwaprailError) as caught:
            await seen(client, fake.order_id)
    assert caught.value.code == "connection_lost"


async def test_watch_can_be_left_early(engine: Any, client: SwaprailClient, fake: Any) -> None:
    left = asyncio.Event()

    async def patient(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(1))
        await socket.until_closed()
        left.set()

    engine.script = patient
    async with aclosing(client.watch(fake.order_id)) as messages:
        async for _ in messages:
            break
    await asyncio.wait_for(left.wait(), 2)


async def test_watch_wallet_tells_each_step_once_over_cuts(engine: Any, client: SwaprailClient, fake: Any) -> None:
    async def first(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(1), fake.step(1, order_id=OTHER, second=9), fake.step(2, second=10))
        await socket.close(1012)

    async def second(socket: Any) -> None:
        await socket.accept()
        again = [fake.step(1, order_id=OTHER, second=9), fake.step(2, second=10)]
        await socket.say(*again, fake.step(2, order_id=OTHER, second=10), fake.step(3, second=11))
        await socket.until_closed()

    engine.scripts = [first, second]
    found = await take(client, 5)
    assert found == [(fake.order_id, 1), (OTHER, 1), (fake.order_id, 2), (OTHER, 2), (fake.order_id, 3)]
    # Orders of one commit share its time: the stream is resumed a little before the newest step.
    assert engine.sockets[1].query["after"] == "2030-01-01T00:00:08+00:00"


async def test_watch_wallet_fills_a_gap_from_the_order(engine: Any, client: SwaprailClient, fake: Any) -> None:
    async def skipping(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(1), fake.step(4), fake.step(5))
        await socket.until_closed()

    engine.script = skipping
    missing = {"events": [fake.step(2), fake.step(3), fake.step(4)]}
    engine.on("GET", f"/api/orders/{fake.order_id}/events", fake.answer(200, missing))
    assert [seq for _, seq in await take(client, 5)] == [1, 2, 3, 4, 5]
    assert engine.requests[0].query == {"after": "1"}


async def take(client: SwaprailClient, count: int) -> list[tuple[str, int]]:
    found: list[StatusMessage] = []
    async with asyncio.timeout(5), aclosing(client.watch_wallet("w", LIVE)) as messages:
        async for message in messages:
            found.append(message)
            if len(found) == count:
                break
    return [(str(message.order_id), message.seq) for message in found]


async def test_watch_goes_on_when_its_caller_was_cancelled_before_and_went_on_itself(
    engine: Any, relay: Any, client: SwaprailClient, fake: Any
) -> None:
    async def one_step(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(int(socket.request.query["after"]) + 1))
        await socket.until_closed()

    async def cleans_up() -> list[int]:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            found = []
            async for message in client.watch(fake.order_id):
                found.append(message.seq)
                relay.cut()
            return found
        return []

    engine.script = one_step
    task = asyncio.create_task(cleans_up())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == [1, 2, 3, 4, 5]


class Breaking:
    """A connection on which nothing comes, and whose end is an error of its own."""

    async def __aenter__(self) -> "Breaking":
        return self

    async def __aexit__(self, *_: object) -> None:
        raise ConnectionResetError

    def __aiter__(self) -> "Breaking":
        return self

    async def __anext__(self) -> str:
        await asyncio.sleep(60)
        return ""


async def test_watch_ends_when_it_is_cancelled_and_the_end_of_the_connection_fails(
    client: SwaprailClient, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail_client.watching.open_socket", lambda *_, **__: Breaking())
    watching = asyncio.create_task(seen(client, fake.order_id))
    await asyncio.sleep(0)
    watching.cancel()
    done, _ = await asyncio.wait([watching], timeout=5)
    assert done
    assert watching.cancelled()
