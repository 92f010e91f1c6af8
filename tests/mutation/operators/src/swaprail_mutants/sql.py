"""The mutations of SQL: each takes the tokens of a literal and returns the changes it knows, one mutant each."""

from swaprail_mutants import clauses, conditions, values
from swaprail_mutants.changes import Mutation

MUTATIONS: dict[str, Mutation] = {
    "".join(part.title() for part in mutation.__name__.split("_")): mutation
    for mutation in (
        conditions.swap_and_or,
        conditions.drop_condition,
        conditions.compare_otherwise,
        conditions.turn_null_check,
        conditions.drop_not,
        conditions.negate_when,
        conditions.drop_from_list,
        values.change_number,
        values.turn_sign,
        values.swap_word,
        values.take_one_of_coalesce,
        values.drop_assignment,
        clauses.drop_lock,
        clauses.drop_clause,
        clauses.join_inner,
    )
}
