"""What a group's run is reported as: on the terminal, and in docs/evidence/mutation.json."""

import json
from collections import Counter
from datetime import UTC, datetime

from tests.evidence import Figure, load_records, record
from tests.evidence.records import measured_commit
from tests.mutation.verdict import Survivor, Verdict

NAME = "mutation"
_GROUPS, _SURVIVORS, _LEFT_OUT = "Each group", "Survivors", "Left out before the run"
type Row = dict[str, Figure]
type Tables = dict[str, list[Row]]


def show(group: str, verdict: Verdict, left_out: Counter[str], carried: int) -> None:
    """Print the verdict, and entries for survivors.toml where one is missing."""
    for reason, count in left_out.most_common():
        print(f"left out {count}: {reason}")
    for mutant in verdict.unclear:
        print(f"UNCLEAR {mutant.operator} in {mutant.module}: {mutant.noticed.said if mutant.noticed else ''}")
    for key in verdict.stale:
        print(f"explained, but does not survive: {key}")
    for survivor in verdict.survivors:
        if not survivor.why:
            print(_entry(survivor))
    explained = sum(bool(survivor.why) for survivor in verdict.survivors)
    print(
        f"{group}: {verdict.killed} of {verdict.mutants} mutants killed ({verdict.score:.1f} %), "
        f"{explained} survivors explained, {len(verdict.survivors) - explained} not; {carried} were tried in an earlier tree"
    )


def keep(group: str, verdict: Verdict, left_out: Counter[str], carried: int) -> None:
    """Keep the group's figures; those of the others stay as they are. carried: how many were tried in an earlier tree."""
    kept = next((kept for kept in load_records() if kept.name == NAME), None)
    tables = merged(kept.tables if kept else {}, group, verdict, left_out, carried)
    mutants, killed = (sum(int(row[name]) for row in tables[_GROUPS]) for name in ("mutants", "killed"))
    record(
        NAME,
        title="Mutants of the core",
        command="make mutation RECORD=1",
        figures={"mutants": mutants, "killed": killed, "score, %": 100 * killed / mutants},
        tables=tables,
    )


def merged(kept: Tables, group: str, verdict: Verdict, left_out: Counter[str], carried: int) -> Tables:
    """Return the tables with the group's rows in the place of those that were kept of it; none is empty."""
    left: list[Row] = [{"group": group, "mutants": count, "rule": reason} for reason, count in left_out.most_common()]
    rows = {
        _GROUPS: [_figures(group, verdict, carried)],
        _SURVIVORS: [_survivor(group, survivor) for survivor in verdict.survivors],
        _LEFT_OUT: left,
    }
    tables = {
        title: sorted(
            [*(row for row in kept.get(title, []) if row["group"] != group), *own], key=lambda row: str(row["group"])
        )
        for title, own in rows.items()
    }
    return {title: own for title, own in tables.items() if own}


def _figures(group: str, verdict: Verdict, carried: int) -> Row:
    return {
        "group": group,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": measured_commit(),
        "mutants": verdict.mutants,
        "killed": verdict.killed,
        "tried in an earlier tree": carried,
        "survivors, explained": len(verdict.survivors),
        "score, %": verdict.score,
    }


def _survivor(group: str, survivor: Survivor) -> Row:
    mutant = survivor.mutant
    module = mutant.module.rpartition("/")[2]
    change = f"`{mutant.was}` becomes `{mutant.becomes}`".replace("|", "\\|")
    return {
        "group": group,
        "place": f"{module}, {mutant.place}",
        "operator": mutant.operator,
        "change": change,
        "why it is no hole": survivor.why,
    }


def _entry(survivor: Survivor) -> str:
    mutant = survivor.mutant
    values = {
        "module": mutant.module,
        "place": mutant.place,
        "operator": mutant.operator,
        "was": mutant.was,
        "becomes": mutant.becomes,
    }
    # A string of JSON is one of TOML.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["", "[[survivor]]", *lines, 'why = ""'])
