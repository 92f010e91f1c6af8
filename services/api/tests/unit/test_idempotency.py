"""What makes two requests the same."""

from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder
from swaprail_api.idempotency import order_fingerprint, read_key

ORDER = NewOrder(
    id=uuid4(),
    account="a",
    wallet="w",
    input_mint="i",
    output_mint="o",
    input_symbol="I",
    output_symbol="O",
    input_decimals=9,
    output_decimals=6,
    input_amount=2**64 - 1,
    slippage_bps=50,
    min_output_amount=None,
    expires_at=None,
    execute=False,
)


def test_fingerprint_is_the_same_when_only_the_id_or_trace_differ() -> None:
    other = msgspec.structs.replace(ORDER, id=uuid4(), trace="00-1-2-01")
    assert order_fingerprint(other) == order_fingerprint(ORDER)


@pytest.mark.parametrize(
    "change",
    [
        {"wallet": "x"},
        {"input_mint": "x"},
        {"output_mint": "x"},
        {"input_amount": 1},
        {"slippage_bps": 1},
        {"min_output_amount": 0},
        {"expires_at": datetime(2999, 1, 1, tzinfo=UTC)},
        {"execute": True},
    ],
)
def test_fingerprint_differs_when_the_meaning_does(change: dict[str, object]) -> None:
    assert order_fingerprint(msgspec.structs.replace(ORDER, **change)) != order_fingerprint(ORDER)


def test_key_is_optional_unless_required() -> None:
    assert read_key(None, required=False) is None
    assert read_key(b"k" * 255, required=True) == "k" * 255
    with pytest.raises(EngineError) as raised:
        read_key(None, required=True)
    assert raised.value.code is ErrorCode.IDEMPOTENCY_KEY_REQUIRED
