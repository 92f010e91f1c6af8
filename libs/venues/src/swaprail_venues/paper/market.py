"""The pools of the paper venues.

Pools are stateless: arbitrage is taken to refill a pool before the next swap, so what a swap gives depends on the
venue, the pair, the amount and the slot, and never on the swaps before it. That is what lets the chain decide the
outcome of a transaction when it receives it, and lets any process compute the same outcome.
"""

from fractions import Fraction

import msgspec

from swaprail.domain.tokens import Token, TokenList
from swaprail_venues.paper.drift import PPM, drift_ppm
from swaprail_venues.paper.pool import Pool


class VenueProfile(msgspec.Struct, frozen=True):
    """What makes a paper venue: its fee, the worth of each side of its pools, and what one swap costs on the chain."""

    name: str
    fee_bps: int
    depth_usd: int
    network_fee_usd: Fraction


# Meteora is cheaper, Raydium deeper: above some 625 dollars the deeper pool gives more, drift aside.
RAYDIUM = VenueProfile("raydium", fee_bps=25, depth_usd=5_000_000, network_fee_usd=Fraction(5, 10_000))
METEORA = VenueProfile("meteora", fee_bps=20, depth_usd=1_000_000, network_fee_usd=Fraction(8, 10_000))
PROFILES = (RAYDIUM, METEORA)


class _Pair:
    """Both directions of one venue's pool for two mints."""

    __slots__ = ("_anchor", "_fee_bps", "_key", "_latest", "_seed")

    def __init__(self, seed: int, profile: VenueProfile, first: Token, second: Token) -> None:
        self._seed = seed
        self._key = f"{profile.name}|{first.mint}|{second.mint}"
        self._fee_bps = profile.fee_bps
        self._anchor = (_units(profile.depth_usd, first), _units(profile.depth_usd, second))
        self._latest: tuple[int, Pool, Pool] | None = None

    def at(self, slot: int, *, forward: bool) -> Pool:
        """Return the pool at the slot; forward means the first mint goes in."""
        latest = self._latest
        if latest is None or latest[0] != slot:
            first = self._anchor[0]
            second = max(1, self._anchor[1] * (PPM + drift_ppm(self._seed, self._key, slot)) // PPM)
            latest = (slot, Pool(first, second, self._fee_bps), Pool(second, first, self._fee_bps))
            self._latest = latest
        return latest[1] if forward else latest[2]


def _units(usd: int | Fraction, token: Token) -> int:
    return max(1, int(Fraction(usd) * 10**token.decimals / Fraction(token.paper_price)))


class PaperMarket:
    """All pools of the given venues over the given tokens."""

    def __init__(self, seed: int, tokens: TokenList, profiles: tuple[VenueProfile, ...] = PROFILES) -> None:
        self.profiles = {profile.name: profile for profile in profiles}
        self._seed = seed
        self._tokens = tokens
        self._pairs: dict[tuple[str, str, str], _Pair] = {}
        self._fees: dict[tuple[str, str], int] = {}

    def pool_at(self, venue: str, input_mint: str, output_mint: str, slot: int) -> Pool | None:
        """Return the venue's pool as it is at the slot, or None where the venue has none for these mints."""
        forward = input_mint < output_mint
        key = (venue, input_mint, output_mint) if forward else (venue, output_mint, input_mint)
        pair = self._pairs.get(key) or self._open(key)
        return pair.at(slot, forward=forward) if pair else None

    def network_fee(self, venue: str, output_mint: str) -> int:
        """Return the chain's fee for one swap in base units of the output, rounded up."""
        fee = self._fees.get((venue, output_mint))
        if fee is None:
            fee = self._fees[venue, output_mint] = self._fee(venue, output_mint)
        return fee

    def _fee(self, venue: str, output_mint: str) -> int:
        token = self._tokens.by_mint(output_mint)
        if token is None:
            return 0
        return -int(-(self.profiles[venue].network_fee_usd * 10**token.decimals / Fraction(token.paper_price)) // 1)

    def _open(self, key: tuple[str, str, str]) -> _Pair | None:
        venue, first_mint, second_mint = key
        first, second = self._tokens.by_mint(first_mint), self._tokens.by_mint(second_mint)
        profile = self.profiles.get(venue)
        if profile is None or first is None or second is None or first.mint == second.mint:
            return None
        return self._pairs.setdefault(key, _Pair(self._seed, profile, first, second))
