"""What may differ between one paper chain and another; every process of an engine must have the same."""

import msgspec

from swaprail.settings import Settings


class ChainRules(msgspec.Struct, frozen=True):
    """valid_for: blocks in which a blockhash lets a transaction land. finality_slots: blocks after which one is final."""

    valid_for: int = 150
    finality_slots: int = 32


def chain_rules(settings: Settings) -> ChainRules:
    """Return the rules that the settings give."""
    return ChainRules(settings.paper_blockhash_blocks, settings.paper_finality_slots)
