"""What ends a process at a failpoint does so at the passage asked for, says so, and does nothing else."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from swaprail.domain.errors import EngineError
from tests.faults.failpoints.trigger import CONTROL, Arming, Phase, Trigger, hit_file

PASSES = """
import asyncio
from tests.faults.failpoints.trigger import trigger

async def effect():
    print("done", flush=True)

for _ in range(3):
    asyncio.run(trigger.around(("other", "point"), effect()))
"""


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "router.arm"
    monkeypatch.setenv(CONTROL, str(file))
    return file


def _arm(control: Path, name: str, phase: Phase, passage: int = 1) -> None:
    control.write_bytes(msgspec.json.encode(Arming(name, phase, passage)))


@pytest.mark.parametrize(
    ("phase", "passage", "done"), [(Phase.BEFORE, 1, 0), (Phase.AFTER, 1, 1), (Phase.BEFORE, 3, 2), (Phase.AFTER, 3, 3)]
)
def test_a_process_is_killed_before_or_after_the_effect_when_its_passage_comes(
    control: Path, phase: Phase, passage: int, done: int
) -> None:
    _arm(control, "point", phase, passage)
    ended = subprocess.run([sys.executable, "-c", PASSES], capture_output=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout.split()) == (-signal.SIGKILL, [b"done"] * done)
    assert (control.exists(), hit_file(control).exists()) == (False, True)


def test_a_process_passes_when_another_point_is_armed(control: Path) -> None:
    _arm(control, "a point of its own", Phase.BEFORE)
    ended = subprocess.run([sys.executable, "-c", PASSES], capture_output=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout.split()) == (0, [b"done"] * 3)
    assert control.exists()


async def test_the_answer_alone_is_lost_once_when_that_is_asked_for(control: Path) -> None:
    trigger = Trigger()
    _arm(control, "point", Phase.LOST)
    with pytest.raises(EngineError, match="away"):
        await trigger.around(("point",), asyncio.sleep(0))
    await trigger.around(("point",), asyncio.sleep(0))
    assert hit_file(control).exists()


def test_a_living_process_is_armed_again_when_the_file_is_written_again(control: Path) -> None:
    trigger = Trigger()
    for _ in range(2):
        assert not trigger.reached(("point",), Phase.LOST)
        _arm(control, "point", Phase.LOST, 2)
        assert [trigger.reached(("point",), Phase.LOST) for _ in range(3)] == [False, True, False]
        control.rename(hit_file(control))
