"""Each mutation of SQL changes what it says, and nothing that is no SQL."""

import pytest

from swaprail_mutants.changes import Change
from swaprail_mutants.sql import MUTATIONS
from swaprail_mutants.tokens import is_sql, tokens_of

UPDATE = "update orders o set status = $1, seq = o.seq + 1, at = now() + make_interval(secs => 5)"
MUTANTS = {
    "SwapAndOr": [("select a from t where b and (c or d)", ["b or (c or d)", "b and (c and d)"])],
    "DropCondition": [
        ("select a from t where b = $1 order by a", ["where (b = $1 or true) order"]),
        ("select a from t left join u on t.x = u.x and y", ["on (t.x = u.x or true) and y", "and (y or true)"]),
        ("select a from t where (b or f(c, d)) limit 1", ["where (( b or f ( c , d ) ) or true) limit", "(f ( c , d ) and false)"]),
        ("select distinct on (a) a from t", []),
        ("insert into t (a) select a from v on conflict do nothing", []),
        ("select a from t left join u on true", []),
    ],
    "CompareOtherwise": [
        ("select a from t where b = c and d < e and f >= g", ["b <> c", "d <= e", "f > g"]),
        (f"{UPDATE} from v where o.id = v.id", ["where o.id <> v.id"]),
        ("update t set a = case when b = c then 1 end, d = (e = f)", ["b <> c", "(e <> f)"]),
    ],
    "TurnNullCheck": [
        ("select a from t where b is null and c is not null", ["b is not null and", "c is null"]),
        ("select a from t where b is not distinct from c", ["b is distinct from c"]),
    ],
    "DropNot": [("select a from t where b not in (1) and c is not null", ["b  in (1) and c is not null"])],
    "NegateWhen": [
        ("select case when b = c then d end from t", ["when not (b = c) then"]),
        ("select case when b is null then d end from t", []),
    ],
    "ChangeNumber": [
        ("select a + 1 from t where int2 = $1 and b = 7", ["a + 0 from", "b = 8"]),
        ("select '7'::int4 from t", []),
    ],
    "TurnSign": [("select now() + b, c + 1 from t", ["now() - b"])],
    "SwapWord": [("select least(a, min(b)) from t where true", ["greatest(a", "max(b)", "where false"])],
    "DropLock": [
        ("select a from t for update of o skip locked", ["from t ", "update of o "]),
        ("select a from t order by a for update", ["order by a "]),
    ],
    "DropClause": [
        ("select distinct on (f(a), b) a from t order by a, b limit $1", ["select  a from", "from t  limit", "limit $1 + 1"]),
        ("insert into t (a) select a from v order by a on conflict do nothing", ["from v  on conflict", "order by a "]),
    ],
    "JoinInner": [("select a from t left join u on true join v on true", ["from t  join u on true join v"])],
    "TakeOneOfCoalesce": [("select coalesce(f(a, b), c) from t", ["coalesce(f(a, b))", "coalesce( c)"])],
    "DropAssignment": [
        (
            f"{UPDATE} from v where o.id = v.id",
            ["status = case when true then o.status else $1 end,", "else o.seq + 1 end,", "else now ( ) + make_interval"],
        ),
        ("select a from t for update", []),
    ],
    "DropFromList": [("select a from t where b in ('A', 'B')", ["in ( 'B')", "in ('A')"])],
}  # fmt: skip


def mutated(name: str, code: str) -> list[str]:
    return [code[: change.start] + change.text + code[change.end :] for change in MUTATIONS[name](tokens_of(code))]


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_makes_what_it_says_when_the_statement_has_its_words(name: str) -> None:
    for statement, parts in MUTANTS[name]:
        found = mutated(name, f'"""{statement}"""')
        assert len(found) == len(parts), (statement, found)
        for mutant, part in zip(found, parts, strict=True):
            assert part in mutant, (mutant, part)


def test_a_hole_is_left_alone_when_the_literal_is_an_f_string() -> None:
    code = 'f"select a from t where {TERMS} = v.terms and b"'
    assert mutated("CompareOtherwise", code) == ['f"select a from t where {TERMS} <> v.terms and b"']
    assert mutated("DropCondition", code)[0] == 'f"select a from t where ({TERMS} = v.terms or true) and b"'


@pytest.mark.parametrize(
    "code",
    ['"Select one from the list"', '"the order is over"', '"update"', '"orders.routed"', 'f"{name} from {place}"'],
)
def test_a_text_is_no_sql_when_it_is_for_people(code: str) -> None:
    assert not is_sql(code)


def test_a_change_is_within_the_quotes_when_the_literal_has_a_prefix() -> None:
    assert list(MUTATIONS["SwapWord"](tokens_of('rf"select min(a) from t"'))) == [Change(10, 13, "max")]
