"""Check an order and resolve its tokens and amounts."""

from datetime import timedelta

from uuid_utils.compat import uuid7

from swaprail.clock import database_now, database_time
from swaprail.domain.amounts import to_base_units
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder
from swaprail.domain.tokens import Token, TokenList
from swaprail_api.schemas.requests import MAX_WALLET, PlaceOrder
from swaprail_api.schemas.times import read_time


def check_order(body: PlaceOrder, tokens: TokenList, account: str, *, execute: bool, trace: str | None) -> NewOrder:
    """Return the order ready to be stored; EngineError naming the field that is wrong. Its expiry is not judged."""
    check_wallet(body.user_wallet)
    given, wanted = find_pair(tokens, body.input_token, body.output_token)
    least = body.min_output_amount
    return NewOrder(
        id=uuid7(nanoseconds=int(database_time() * 1e9)),
        account=account,
        wallet=body.user_wallet,
        input_mint=given.mint,
        output_mint=wanted.mint,
        input_symbol=given.symbol,
        output_symbol=wanted.symbol,
        input_decimals=given.decimals,
        output_decimals=wanted.decimals,
        input_amount=to_base_units(body.input_amount, given.decimals, "inputAmount"),
        slippage_bps=body.slippage_bps,
        min_output_amount=None if least is None else to_base_units(least, wanted.decimals, "minOutputAmount"),
        expires_at=None if body.expires_at is None else read_time(body.expires_at, "expiresAt"),
        execute=execute,
        trace=trace,
    )


def find_pair(tokens: TokenList, given: str, wanted: str) -> tuple[Token, Token]:
    """Return input and output token; EngineError if one is unknown or both are the same."""
    first, second = tokens.find(given, "inputToken"), tokens.find(wanted, "outputToken")
    if first.mint == second.mint:
        raise EngineError(ErrorCode.TOKENS_EQUAL, f"both tokens are {first.symbol}", field="outputToken")
    return first, second


def check_wallet(wallet: str, field: str = "userWallet") -> None:
    """Raise EngineError unless there are 1 to 64 characters, every one can be seen, and a path keeps them as they are."""
    if not 1 <= len(wallet) <= MAX_WALLET or not wallet.isprintable() or wallet.strip() != wallet:
        message = f"a wallet has 1 to {MAX_WALLET} visible characters"
        raise EngineError(ErrorCode.VALIDATION_FAILED, message, field=field)
    if any(not part.strip(".") for part in wallet.split("/")):
        message = "between slashes a wallet has more than dots: clients and proxies would make another path of it"
        raise EngineError(ErrorCode.VALIDATION_FAILED, message, field=field)


def expiry_error(order: NewOrder, longest_days: int | None = None) -> EngineError | None:
    """Return the error of an order whose time has passed, or is further away than so many days; else None."""
    if order.expires_at is None:
        return None
    now = database_now()
    if order.expires_at <= now:
        return EngineError(ErrorCode.EXPIRY_IN_PAST, "expiresAt is not in the future", field="expiresAt")
    if longest_days is None or order.expires_at <= now + timedelta(days=longest_days):
        return None
    message = f"expiresAt is more than {longest_days} days away"
    return EngineError(ErrorCode.EXPIRY_TOO_FAR, message, field="expiresAt")
