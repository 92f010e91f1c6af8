"""The page says what the results say, and nothing else."""

from types import SimpleNamespace

import msgspec
import pytest

from tests.load.document import TEMPLATE, page
from tests.load.figures import Figures
from tests.load.labels import ROWS
from tests.load.markdown import columns_table
from tests.load.profile_run import Sampled
from tests.load.results import Result, rounded
from tests.load.sampling import SAMPLER, _profile
from tests.load.scaling_run import ideal_end_s
from tests.load.spans import Step, steps_of

RUNS: list[Figures] = [{"confirmed_per_s": 1000.0 * n, "commits_per_order": 0.4 * n} for n in (1, 2, 3)]


def result(part: str, data: object) -> Result:
    return Result(part, "now", "abc", {"memory": "1 GiB"}, {"runs": 3}, msgspec.Raw(msgspec.json.encode(data)))


def test_a_row_is_median_and_range_with_a_verdict_on_ours_when_it_has_a_target() -> None:
    columns = {"front": RUNS, "tuned": [{"confirmed_per_s": 500.0, "commits_per_order": 5.0}]}
    text = columns_table(columns, ROWS["throughput"], "throughput")
    assert "| **orders a second to CONFIRMED** | 2,000 (1,000–3,000) | 500 |  |  |" in text
    assert "| commits an order | 0.80 (0.40–1.20) | 5 | ≤ 0.5 | **missed** |" in text


def test_a_part_says_how_to_measure_it_when_it_was_not() -> None:
    text = page("{{ table throughput }} {{ plot sweep }}", {}, set())
    assert text == "_Not measured yet: `make bench ONLY=throughput`._ "


def test_the_template_fills_when_everything_was_measured() -> None:
    middle = {"overhead_p50_ms": 1.0, "sent_to_pending_p50_ms": 1.0, "sent_to_pending_p99_ms": 2.0}
    compared = {"front": [RUNS[0] | middle], "tuned": [RUNS[0] | middle]}
    sampled = [Sampled("steady", 10, [_profile("router", [(["a:b", "c.d:e"], 2)], 0.5)])]
    point = dict.fromkeys(("rate", "confirmed_per_s", "overhead_p50_ms", "overhead_p99_ms", "post_p99_ms"), 1.0)
    data: dict[str, object] = dict.fromkeys(ROWS, compared) | {
        "sweep": {"front": [point | {"growth_ms_per_s": 0.0, "past_knee": 0.0}]},
        "memory": {"front": [{"orders": 10.0, "idle_mb_router": 1.0, "mb_router": 2.0}]},
        "profile": sampled,
        "trace": [Step("router", "quote", 20, 1.0, 2.0, 3.0)],
    }
    text = page(TEMPLATE.read_text(), {part: result(part, each) for part, each in data.items()}, {"sweep"})
    assert "{{" not in text
    assert "Not measured" not in text
    assert "![sweep](performance/sweep.svg)" in text


def test_a_profile_gives_a_process_its_cpu_when_samples_are_shared_out() -> None:
    stacks = [(["asyncio.runners:Runner.run"], 1), (["asyncio.runners:Runner.run", "swaprail.db.writer:write"], 3)]
    profile = _profile("router", stacks, 2.0)
    assert profile.packages == pytest.approx({"swaprail.db": 1.5, "event loop and system calls": 0.5})
    assert [(hot.name, hot.own_ms) for hot in profile.hottest] == [
        ("swaprail.db.writer:write", 1.5),
        ("event loop and system calls", 0.5),
    ]
    assert (SAMPLER / "sitecustomize.py").exists()


def test_steps_come_in_the_order_in_which_they_begin() -> None:
    def span(name: str, begin_ms: int, end_ms: int) -> SimpleNamespace:
        times = {"start_time_unix_nano": begin_ms * 10**6, "end_time_unix_nano": end_ms * 10**6}
        return SimpleNamespace(name=name, trace_id=b"t", attributes=[], **times)

    spans = [("swaprail-router", span("quote", 105, 305)), ("swaprail-front", span("POST", 100, 104))]
    assert steps_of(spans, least=1) == [Step("front", "POST", 1, 0, 4, 4), Step("router", "quote", 1, 5, 200, 200)]


def test_numbers_are_kept_with_six_digits() -> None:
    assert rounded({"a": [1.23456789, 1234567.8]}) == {"a": [1.23457, 1234570.0]}


def test_a_burst_ends_after_as_many_waves_as_its_places_need() -> None:
    assert ideal_end_s(2.0, 10_000, 20_000) == pytest.approx(4.7)
    assert ideal_end_s(2.0, 10_000, 5_000) == pytest.approx(1.0 + 0.2 + 5.0)
