"""What a careful client was told when the standby was away, and what became of it: the history of issue C1."""

import asyncio
import signal
from typing import Any
from uuid import uuid4

import httpx

from tests.faults.standby.world import World

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
REPEATS = 2
_COMMITTED = (201, 202)


class Client:
    """Asks the API, and remembers each status that it is told."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self._told, self._http = world.told, http
        self.answers: list[str] = []

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        return self._note(await self._http.post(path, json=body, headers={"Idempotency-Key": key} if key else {}))

    async def get(self, order_id: str) -> httpx.Response:
        return self._note(await self._http.get(f"/api/orders/{order_id}"))

    def _note(self, answer: httpx.Response) -> httpx.Response:
        said = answer.json()
        self.answers.append(f"{answer.request.method} {answer.url.path.rpartition('/')[2]}: {answer.status_code}")
        if answer.status_code in (*_COMMITTED, 200):
            # A repetition is answered as the first time: what it says is what was then.
            seq = None if "idempotency-replayed" in answer.headers else said.get("seq")
            self._told.status(said["orderId"], seq, said["status"])
        elif answer.status_code == 409 and said.get("found"):
            self._told.status(answer.url.path.split("/")[3], None, said["found"])
        return answer


async def tell(world: World, client: Client) -> list[str]:
    """Ask while the standby is away, lose the primary, promote the standby; return what was told and is not so."""
    world.stop("router")  # so that what is queued stays queued
    queued = (await client.post("/api/orders/execute", ORDER)).json()["orderId"]
    key = str(uuid4())
    await world.pair.detach()
    for _ in range(REPEATS):
        await client.post("/api/orders", ORDER, key=key)
        await client.post(f"/api/orders/{queued}/cancel")
        await client.get(queued)
    await world.pair.lose_primary(signal.SIGQUIT)
    differences = await world.fail_over()
    await asyncio.to_thread(world.spawn, "router")
    await world.ready("router")
    return differences


async def tell_after_a_crash(world: World, client: Client) -> list[str]:
    """Let a primary crash while a commit waits: it shows the row after its restart, and the standby never had it."""
    key = str(uuid4())
    await world.pair.detach()
    await client.post("/api/orders", ORDER, key=key)
    await world.pair.lose_primary(signal.SIGQUIT)
    await world.pair.restart_primary()
    for _ in range(REPEATS):
        await client.post("/api/orders", ORDER, key=key)
    await world.pair.lose_primary(signal.SIGQUIT)
    return await world.fail_over()
