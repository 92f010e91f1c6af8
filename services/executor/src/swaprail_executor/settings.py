"""Settings of the executor."""

from enum import StrEnum

from pydantic import Field

from swaprail.domain.chain import Commitment
from swaprail.settings import Settings


class Settled(StrEnum):
    """How sure a landing must be."""

    CONFIRMED = "confirmed"
    FINALIZED = "finalized"


class ExecutorSettings(Settings):
    """What the executor reads beyond the shared settings."""

    executor_in_flight: int = Field(5000, ge=1, description="executor: orders it works on at once")
    executor_rebroadcast_s: float = Field(3.0, gt=0, description="executor: how often unlanded bytes are sent again")
    executor_route_max_age_s: float = Field(10.0, gt=0, description="executor: an older route is asked for anew")
    executor_chain_timeout_s: float = Field(5.0, gt=0, description="executor: longest wait for an answer of the chain")
    executor_commitment: Settled = Field(
        Settled.CONFIRMED,
        description="executor: how sure a landing must be to settle its order: confirmed or finalized",
    )
    executor_reconciling_after_s: float = Field(
        90.0, gt=0, description="executor: time without a landing or a proof after which an order is marked reconciling"
    )
    executor_max_attempts: int = Field(5, ge=1, le=100, description="executor: signed transactions per order at most")

    def required_in_production(self) -> list[tuple[str, ...]]:
        """Names of the environment variables that production must set: everybody knows the key that PAPER_SEED makes."""
        return [*super().required_in_production(), ("PAPER_SIGNER_SEED",)]

    @property
    def commitment(self) -> Commitment:
        """The commitment of executor_commitment."""
        return Commitment[self.executor_commitment.name]
