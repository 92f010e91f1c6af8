import asyncio
import os
import re
import signal
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest

from swaprail_client.cli.app import run

KEY = "swr_0123456789abcdef_secret"
EXECUTE = "/api/orders/execute"
FAILURE = {
    "code": "slippage_exceeded",
    "stage": "landing",
    "retryable": True,
    "fundsMoved": "no",
    "hint": "Try.",
    "detail": "Moved",
}


class Shell:
    """Runs command lines in this process against the engine; the API key is in the environment."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(run, arguments)
        printed = self._capsys.readouterr()
        assert KEY not in printed.out + printed.err
        assert "\x1b" not in printed.out + printed.err
        return int(code), printed.out, printed.err


@pytest.fixture
def shell(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("SWAPRAIL_URL", url)
    monkeypatch.setenv("SWAPRAIL_API_KEY", KEY)
    return Shell(capsys)


def lines(text: str) -> list[Any]:
    return [msgspec.json.decode(line) for line in text.splitlines()]


def ending(fake: Any, status: str) -> Any:
    async def script(socket: Any) -> None:
        await socket.accept()
        last = {**fake.step(2, status), "data": {"failure": FAILURE} if status == "FAILED" else {}}
        await socket.say(fake.step(1), last)
        await socket.until_closed()

    return script


@pytest.mark.parametrize(("status", "code"), [("CONFIRMED", 0), ("FAILED", 1), ("CANCELLED", 2), ("EXPIRED", 2)])
async def test_watch_exits_by_outcome(engine: Any, shell: Shell, fake: Any, status: str, code: int) -> None:
    engine.script = ending(fake, status)
    assert (await shell("watch", fake.order_id))[0] == code
    found, out, _ = await shell("watch", fake.order_id, "--json")
    assert found == code
    assert [message["status"] for message in lines(out)] == ["PENDING", status]


async def test_watch_exits_by_outcome_when_the_order_ended_before(engine: Any, shell: Shell, fake: Any) -> None:
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(200, fake.order("EXPIRED", 2)))
    assert await shell("watch", fake.order_id, "--after", "2", "--json") == (2, "", "")


async def test_watch_shows_elapsed_time_and_why_the_order_failed(engine: Any, shell: Shell, fake: Any) -> None:
    engine.script = ending(fake, "FAILED")
    _, out, _ = await shell("watch", fake.order_id)
    assert out.splitlines() == [
        "    0.000 s  +   0.000 s  PENDING    accepted",
        "    1.000 s  +   1.000 s  FAILED     Moved. Funds moved: no. Try. A new order may succeed.",
    ]


async def test_watch_cannot_tell_when_it_is_refused(engine: Any, shell: Shell, fake: Any) -> None:
    problem = {"code": "forbidden", "title": "The key lacks the scope", "retryable": False}
    engine.script = lambda socket: socket.refuse(fake.answer(403, problem))
    code, out, err = await shell("watch", fake.order_id)
    assert (code, out) == (3, "")
    assert err.startswith("swaprail: The key lacks the scope: ")


async def test_watch_cannot_tell_when_nobody_answers(relay: Any, shell: Shell, fake: Any) -> None:
    relay.stop()
    code, out, _ = await shell("watch", fake.order_id, "--timeout", "0.1", "--json")
    assert code == 3
    assert lines(out)[0]["error"]["code"] == "connection_lost"


async def test_submit_posts_what_it_was_told_and_watches(engine: Any, shell: Shell, fake: Any) -> None:
    engine.on("POST", EXECUTE, fake.answer(202, fake.order()))
    options = [
        "--wallet",
        "w",
        "--slippage-bps",
        "10",
        "--min-output",
        "0.1",
        "--expires-in",
        "90s",
        "--watch",
        "--json",
    ]
    code, out, _ = await shell("submit", "SOL", "USDC", "1.50", *options)
    assert code == 0
    posted, *steps = lines(out)
    assert posted["orderId"] == fake.order_id
    assert [message["seq"] for message in steps] == [1, 2, 3, 4, 5]
    sent = msgspec.json.decode(engine.requests[-1].body)
    assert sent.pop("expiresAt") > "2026"
    assert sent == {
        "userWallet": "w", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.50", "slippageBps": 10,
        "minOutputAmount": "0.1",
    }  # fmt: skip


async def test_submit_leaves_the_order_waiting_when_told_so(engine: Any, shell: Shell, fake: Any) -> None:
    engine.on("POST", "/api/orders", fake.answer(201, fake.order()))
    code, out, _ = await shell("submit", "SOL", "USDC", "1", "--wallet", "w", "--no-execute")
    assert (code, out) == (0, f"{fake.order_id}  PENDING  sell 1.5 SOL for USDC\n")


async def test_submit_tells_in_one_line_why_it_was_refused(engine: Any, shell: Shell, fake: Any) -> None:
    problem = {
        "title": "The token is not known",
        "detail": "no XYZ\n\x1b[31m",
        "code": "token_unknown",
        "retryable": False,
    }
    engine.on("POST", EXECUTE, fake.answer(400, problem))
    code, out, err = await shell("submit", "XYZ", "USDC", "1", "--wallet", "w", "--watch")
    assert (code, out) == (1, "")
    assert err == "swaprail: The token is not known: no XYZ��[31m. Retrying will not help.\n"


async def test_submit_tells_how_to_repeat_it_when_the_answer_was_lost(relay: Any, shell: Shell) -> None:
    relay.lose_answers = 1000
    options = ["--expires-at", "2030-01-31T12:00:00+00:00", "--idempotency-key", "mine", "--timeout", "0.2"]
    code, _, err = await shell("submit", "SOL", "USDC", "1", "--wallet", "w", *options)
    assert code == 3
    assert "--idempotency-key mine --expires-at 2030-01-31T12:00:00+00:00" in err


async def test_execute_tells_the_status_found_when_it_lost(engine: Any, shell: Shell, fake: Any) -> None:
    problem = {"code": "order_status_mismatch", "detail": "it is ROUTING", "retryable": False, "found": "ROUTING"}
    engine.on("POST", f"/api/orders/{fake.order_id}/execute", fake.answer(409, problem))
    code, out, _ = await shell("execute", fake.order_id, "--json")
    assert code == 1
    assert lines(out)[0]["error"]["found"] == "ROUTING"


async def test_cancel_shows_the_order(engine: Any, shell: Shell, fake: Any) -> None:
    engine.on("POST", f"/api/orders/{fake.order_id}/cancel", fake.answer(202, fake.order("CANCELLED", 2)))
    code, out, _ = await shell("cancel", fake.order_id)
    assert code == 0
    assert "CANCELLED" in out


async def test_get_shows_all_of_an_order(engine: Any, shell: Shell, fake: Any) -> None:
    signature = "5" * 88
    body = fake.order(
        "FAILED", 5, failure=FAILURE, signature=signature,
        quotes=[{"venue": "raydium", "outputAmount": "148", "feeBps": 25}, {"venue": "meteora", "discarded": "late", "detail": "2 s"}],
        attempts=[{"attempt": 1, "venue": "raydium", "signature": signature, "state": "REVERTED", "slot": 7}],
        timestamps={"PENDING": "2030-01-01T00:00:00Z", "FAILED": "2030-01-01T00:00:02.5Z"},
    )  # fmt: skip
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(200, body))
    code, out, _ = await shell("get", fake.order_id)
    assert code == 0
    for words in [signature, "2.500 s", "REVERTED", "148 USDC", "late: 2 s", "Moved. Funds moved: no."]:
        assert words in out
    _, out, _ = await shell("get", fake.order_id, "--json")
    assert lines(out)[0]["attempts"][0]["slot"] == 7


async def test_list_shows_a_page_or_all(engine: Any, shell: Shell, fake: Any) -> None:
    pages = [
        {"orders": [fake.order()], "nextCursor": "c"},
        {"orders": [fake.order("CONFIRMED", 5)], "nextCursor": None},
    ]
    engine.on("GET", "/api/orders/user/w", fake.answer(200, pages[0]), *(fake.answer(200, page) for page in pages))
    code, out, _ = await shell("list", "w")
    assert code == 0
    assert fake.order_id in out
    assert "--cursor c" in out
    _, out, _ = await shell("list", "w", "--all", "--json")
    assert [found["status"] for found in lines(out)[0]["orders"]] == ["PENDING", "CONFIRMED"]


async def test_quote_shows_each_venue(engine: Any, shell: Shell, fake: Any) -> None:
    late = {"venue": "meteora", "discarded": "late", "detail": ""}
    both = {"quotes": [{"venue": "raydium", "outputAmount": "148.1", "durationMs": 200.4}, late]}
    engine.on(
        "GET", "/api/quotes", fake.answer(200, both), fake.answer(200, both), fake.answer(200, {"quotes": [late]})
    )
    code, out, _ = await shell("quote", "SOL", "USDC", "1.5")
    assert code == 0
    assert "148.1 USDC" in out
    _, out, _ = await shell("quote", "SOL", "USDC", "1.5", "--json")
    assert lines(out)[0]["quotes"][1]["discarded"] == "late"
    assert (await shell("quote", "SOL", "USDC", "1.5"))[0] == 1


async def test_health_exits_by_what_works(engine: Any, relay: Any, shell: Shell, fake: Any) -> None:
    broken = fake.answer(200, {"ready": False, "checks": {"redis": {"ok": False}}})
    engine.on("GET", "/health", fake.answer(200, {"ready": True}), broken)
    assert (await shell("health"))[0] == 0
    code, out, _ = await shell("health")
    assert code == 1
    assert "checks.redis.ok" in out
    assert lines((await shell("health", "--json"))[1])[0]["healthy"] is False
    relay.stop()
    assert (await shell("health"))[0] == 3


async def test_keys_are_made_listed_and_revoked(engine: Any, shell: Shell, fake: Any) -> None:
    key = {
        "id": "ab",
        "account": "acme",
        "name": "desk",
        "scopes": ["orders:read"],
        "createdAt": "2030-01-01T00:00:00Z",
    }
    engine.on("POST", "/api/keys", fake.answer(201, {**key, "key": "swr_ab_new"}))
    engine.on("GET", "/api/keys", fake.answer(200, {"keys": [key]}))
    engine.on("DELETE", "/api/keys/ab", fake.answer(204))
    code, out, err = await shell("keys", "create", "desk", "--scope", "orders:read", "--expires-in", "90d")
    assert (code, out) == (0, "swr_ab_new\n")
    assert "not shown again" in err
    assert msgspec.json.decode(engine.requests[-1].body)["scopes"] == ["orders:read"]
    assert "acme" in (await shell("keys", "list"))[1]
    assert lines((await shell("keys", "list", "--json"))[1])[0]["keys"][0]["id"] == "ab"
    assert (await shell("keys", "revoke", "ab"))[0] == 0
    assert lines((await shell("keys", "revoke", "ab", "--json"))[1]) == [{"id": "ab", "revoked": True}]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["get", "no-id"],
        ["get", "--api-kez=swr_0123456789abcdef_secret"],
        ["submit", "SOL", "USDC", "1"],
        ["submit", "SOL", "USDC", "much", "--wallet", "w"],
        ["submit", "SOL", "USDC", "1", "--wallet", "w", "--expires-at", "2030-01-31T12:00:00"],
        [
            "submit",
            "SOL",
            "USDC",
            "1",
            "--wallet",
            "w",
            "--expires-in",
            "1s",
            "--expires-at",
            "2030-01-31T12:00:00+00:00",
        ],
        *(
            ["submit", "SOL", "USDC", amount, "--wallet", "w"]
            for amount in ("1_5", "١٢", "１.５", " 1.5 ", "1e-99999999")
        ),
        *(["submit", "SOL", "USDC", "1", "--wallet", "w", "--min-output", amount] for amount in ("1_5", " 1", "NaN")),
        *(
            ["submit", "SOL", "USDC", "1", "--wallet", "w", "--slippage-bps", bps]
            for bps in ("49.6", "1_0", "0x10", "٥")
        ),
        *(["submit", "SOL", "USDC", "1", "--wallet", "w", "--idempotency-key", key] for key in ("ä", "", "a b", "a\n")),
        ["submit", "SOL", "USDC", "1", "--wallet", "\udcff"],
        ["list", "w", "--limit", "1_0"],
        ["watch", "01920000-0000-7000-8000-000000000001", "--after", "1.0"],
        ["quote", "SOL", "USDC", "much"],
        ["quote", "SOL", "USDC", "1_5"],
        ["list", "w", "--status", "LOST"],
        ["health", "--timeout", "0"],
        ["health", "--url", "nowhere"],
        ["health", "--url", "http://x y"],
        ["health", "--url", "http://x#y"],
    ],
)
async def test_wrong_usage_exits_with_64_and_one_line(engine: Any, shell: Shell, arguments: list[str]) -> None:
    code, out, err = await shell(*arguments)
    assert (code, out) == (64, "")
    assert err.startswith("swaprail: ")
    assert err.count("\n") == 1
    assert engine.requests == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ALL_PROXY", "socks5://swr_0123456789abcdef_secret@proxy:1080"),
        ("https_proxy", "ftp://swr_0123456789abcdef_secret@proxy:1"),
        ("HTTP_PROXY", "http://proxy:swr_0123456789abcdef_secret"),
        ("NO_PROXY", "10.0.0.0/8,fd00::/8"),
        ("SOCKS_PROXY", "socks5://swr_0123456789abcdef_secret@proxy:1080"),
        ("SSL_CERT_FILE", "/nope"),
        ("SSL_CERT_FILE", os.devnull),
    ],
)
async def test_the_setting_is_named_in_one_line_when_the_environment_cannot_be_used(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SWAPRAIL_URL", "http://engine.invalid")
    monkeypatch.setenv(setting, value)
    monkeypatch.setattr("swaprail_client.surroundings.find_spec", lambda _: None)  # it is here for others
    code, out, err = await shell("health")
    assert (code, out) == (64, "")
    assert err.startswith(f"swaprail: {setting.upper()} cannot be used")
    assert err.count("\n") == 1


@pytest.mark.parametrize("change", [str.upper, "{}\n".format, " {} ".format, "{}/".format])
async def test_the_engine_is_found_when_its_url_is_written_in_another_way(
    engine: Any, shell: Shell, fake: Any, url: str, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    engine.on("GET", "/health", fake.answer(200, {"ready": True}))
    monkeypatch.setenv("SWAPRAIL_URL", change(url))
    assert (await shell("health"))[0] == 0
    assert (await shell("watch", fake.order_id))[0] == 0


@pytest.mark.parametrize(("ahead_s", "told"), [(300, "behind"), (-300, "ahead of"), (0, "")])
@pytest.mark.parametrize("verb", [["submit", "SOL", "USDC", "1", "--wallet", "w"], ["keys", "create", "desk"]])
async def test_a_time_from_now_goes_by_the_clock_of_the_engine_when_ours_is_another(
    engine: Any, shell: Shell, fake: Any, ahead_s: int, told: str, verb: list[str]
) -> None:
    theirs = datetime.now(UTC) + timedelta(seconds=ahead_s)
    shown = {"Date": format_datetime(theirs, usegmt=True)} if ahead_s else {}
    engine.on("GET", "/health/live", fake.answer(200, {}, shown))
    engine.on("POST", EXECUTE, fake.answer(202, fake.order()))
    engine.on("POST", "/api/keys", fake.answer(201, {"id": "ab", "key": "swr_ab_new"}))
    code, _, err = await shell(*verb, "--expires-in", "90s")
    assert code == 0
    assert re.search(rf"clock is (29|30)\d s {told} the engine's", err) if told else "clock" not in err
    ends = datetime.fromisoformat(msgspec.json.decode(engine.requests[-1].body)["expiresAt"])
    assert abs((ends - theirs).total_seconds() - 90) < 10


async def test_a_time_from_now_is_refused_when_it_is_longer_than_the_calendar(engine: Any, shell: Shell) -> None:
    code, _, err = await shell("submit", "SOL", "USDC", "1", "--wallet", "w", "--expires-in", "9999999d")
    assert (code, err.count("\n")) == (64, 1)
    assert all(request.method == "GET" for request in engine.requests)


@pytest.mark.parametrize("verb", ["submit", "get", "list", "watch", "cancel", "quote", "execute", "keys", "health"])
async def test_every_verb_explains_itself(shell: Shell, verb: str) -> None:
    code, out, _ = await shell(verb, "--help")
    assert code == 0
    assert out.startswith(f"Usage: swaprail {verb}")
    assert verb in (await shell("--help"))[1]


def _dump(process: asyncio.subprocess.Process) -> None:
    """Let a process that should have ended say where it stands."""
    if process.returncode is None:
        process.send_signal(signal.SIGABRT)


async def test_watch_exits_with_130_when_interrupted(engine: Any, url: str, fake: Any) -> None:
    async def patient(socket: Any) -> None:
        await socket.accept()
        await socket.say(fake.step(1))
        await socket.until_closed()

    engine.script = patient
    arguments = ["-m", "swaprail_client", "watch", fake.order_id, "--url", url, "--api-key", KEY]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-X", "faulthandler", *arguments, stdout=pipe, stderr=pipe
    )
    assert process.stdout
    assert b"PENDING" in await asyncio.wait_for(process.stdout.readline(), 20)
    process.send_signal(signal.SIGINT)
    asyncio.get_running_loop().call_later(20, _dump, process)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130, err.decode()
    assert (out, err) == (b"", b"swaprail: stopped. An order that was accepted goes on.\n")


async def test_watch_shows_a_running_clock_when_a_person_looks(engine: Any, url: str, fake: Any) -> None:
    engine.script = ending(fake, "FAILED")
    ours, theirs = os.openpty()
    arguments = ["-m", "swaprail_client", "watch", fake.order_id, "--url", url, "--api-key", KEY]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=theirs, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    code = await asyncio.wait_for(process.wait(), 20)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert code == 1
    assert "\x1b[31mFAILED" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is back
    assert KEY not in shown


async def test_a_pipe_that_closes_early_is_no_crash(engine: Any, url: str, fake: Any) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    arguments = ["-m", "swaprail_client", "watch", fake.order_id, "--url", url]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=theirs, stderr=asyncio.subprocess.PIPE
    )
    os.close(theirs)
    _, err = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, err) == (3, b"")
