"""What was measured, kept as JSON: docs/performance.md is written from it, as often as one likes."""

from pathlib import Path

import msgspec

from tests.load.figures import Figures
from tests.load.machine import commit, machine, today
from tests.load.options import Options

FOLDER = Path(__file__).parents[2] / "docs" / "performance"
type Columns = dict[str, list[Figures]]


class Result(msgspec.Struct, frozen=True):
    """One part: when, of what, on what, how; and its data, which for most parts are Columns."""

    part: str
    date: str
    commit: str
    machine: dict[str, str]
    settings: dict[str, float]
    data: msgspec.Raw

    def columns(self) -> Columns:
        return self.decode(dict[str, list[Figures]])

    def decode[Data](self, kind: type[Data]) -> Data:
        return msgspec.json.decode(self.data, type=kind)


def result_of(part: str, options: Options, data: object) -> Result:
    settings = {
        name: getattr(options, name) for name in ("runs", "orders", "warm_up", "connections", "rate", "seconds")
    }
    return Result(part, today(), commit(), machine(), settings, msgspec.Raw(msgspec.json.encode(rounded(data))))


def save(result: Result) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(result), indent=1)
    (FOLDER / f"{result.part}.json").write_bytes(text + b"\n")


def load() -> dict[str, Result]:
    """Return the results kept, by part."""
    results = [msgspec.json.decode(file.read_bytes(), type=Result) for file in sorted(FOLDER.glob("*.json"))]
    return {result.part: result for result in results}


def rounded(data: object) -> object:
    """Return plain data with numbers of six significant digits."""
    plain = msgspec.to_builtins(data)
    if isinstance(plain, float):
        return float(f"{plain:.6g}")
    if isinstance(plain, dict):
        return {name: rounded(value) for name, value in plain.items()}
    return [rounded(value) for value in plain] if isinstance(plain, list) else plain
