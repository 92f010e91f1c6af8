"""A client that asks again under the same key until it has an answer that stands."""

import asyncio
from collections import Counter
from collections.abc import Callable

import httpx

from tests.invariants import Receipt

AGAIN_S = 0.1
NO_ANSWER = "no answer"
STANDS = (200, 201, 202, 422)  # answers that are the same whenever the request is repeated


class Careful:
    """Repeats a request over cut connections and every answer that says so, and keeps what it was answered."""

    def __init__(self, http: httpx.AsyncClient, url: Callable[[], str]) -> None:
        """Url names the API for each try: it may be another replica each time."""
        self._http, self._url = http, url
        self.receipts: list[Receipt] = []
        self.answers: Counter[str] = Counter()

    async def post(self, path: str, body: bytes = b"", *, key: str | None = None) -> httpx.Response:
        """Return the first answer that is not to be tried again."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        while True:
            answer = await self._try(path, body, headers)
            if answer is not None:
                break
            await asyncio.sleep(AGAIN_S)
        if key is not None and answer.status_code in STANDS:
            self.receipts.append(Receipt(key, body, answer.status_code, answer.content))
        return answer

    async def _try(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response | None:
        try:
            answer = await self._http.post(f"{self._url()}{path}", content=body, headers=headers)
        except httpx.HTTPError:
            self.answers[NO_ANSWER] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        if answer.status_code in (429, 503) or (answer.status_code == 409 and answer.json()["retryable"]):
            return None
        return answer
