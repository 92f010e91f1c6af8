"""A constant-product pool. Integers only; every rounding is in the pool's favour."""

import msgspec

from swaprail.domain.amounts import BPS


class Pool(msgspec.Struct, frozen=True):
    """Reserves in base units of the two mints, and the fee taken off the input."""

    reserve_in: int
    reserve_out: int
    fee_bps: int

    def net_input(self, amount_in: int) -> int:
        """Return what is left of the input after the fee."""
        return amount_in * (BPS - self.fee_bps) // BPS

    def output(self, amount_in: int) -> int:
        """Return what the pool gives for so much input: the product of the reserves never falls."""
        net = self.net_input(amount_in)
        return self.reserve_out * net // (self.reserve_in + net)

    def price_impact_bps(self, amount_in: int) -> int:
        """Return how far the price paid, fee aside, is below the pool's price before the swap; rounded up."""
        net = self.net_input(amount_in)
        return -(-BPS * net // (self.reserve_in + net))
