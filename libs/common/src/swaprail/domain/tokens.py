"""The tokens that orders may name, by symbol or mint."""

from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import msgspec

from swaprail.domain.amounts import parse_decimal
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.strict_json import decode_strictly

MAX_DECIMALS = 19  # one token of more is beyond 64 bits


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A token: 1 token is 10**decimals base units. paper_price is in US dollars, read only by paper venues."""

    symbol: str
    mint: str
    decimals: int
    paper_price: str = "1"


_decoder = msgspec.json.Decoder(list[Token])


class TokensRefusedError(SystemExit):
    """The token list cannot be used; the message says why."""


class TokenList:
    """The configured tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        """Take the tokens; ValueError when a name could mean two of them, or an amount or a price none."""
        _refuse_ambiguous(tokens)
        for token in tokens:
            _refuse_unpriced(token)
        self.tokens = tokens
        self._known = {t.symbol.upper(): t for t in tokens} | {t.mint: t for t in tokens}

    def find(self, name: str, field: str) -> Token:
        """Return the token of that symbol (any case) or mint, or raise EngineError token_unknown."""
        token = self._known.get(name) or self._known.get(name.upper())
        if token is None:
            raise EngineError(ErrorCode.TOKEN_UNKNOWN, f"{field} names no known token", field=field)
        return token

    def by_mint(self, mint: str) -> Token | None:
        """Return the token of that mint, if it is still in the list."""
        return self._known.get(mint)


def load_tokens(path: Path | None) -> TokenList:
    """Read a token list (a JSON array of tokens), or the one that is shipped."""
    if path is None:
        shipped = files("swaprail.domain").joinpath("tokens.json").read_bytes()
        return _decode(shipped)
    try:
        return _decode(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TokensRefusedError(f"TOKENS_FILE: {path}: {error}") from None
    except RecursionError:
        raise TokensRefusedError(f"TOKENS_FILE: {path}: it is nested too deeply") from None


def _decode(text: bytes) -> TokenList:
    tokens = decode_strictly(_decoder, text)
    if not tokens:
        raise ValueError("it has no token")
    return TokenList(tokens)


def _refuse_unpriced(token: Token) -> None:
    try:
        price = parse_decimal(token.paper_price, "paperPrice")
    except EngineError:
        price = Decimal(0)
    if price <= 0 or abs(price.adjusted()) > MAX_DECIMALS:
        raise ValueError(
            f"{token.symbol}: paperPrice is a decimal number greater than zero, in a string, "
            f"with at most {MAX_DECIMALS} places before or behind the point"
        )


def _refuse_ambiguous(tokens: list[Token]) -> None:
    seen: dict[str, Token] = {}
    for token in tokens:
        if not 0 <= token.decimals <= MAX_DECIMALS:
            raise ValueError(
                f"{token.symbol} has {token.decimals} decimals: 0 to {MAX_DECIMALS} fit an amount of 64 bits"
            )
        if not token.symbol or not token.mint:
            raise ValueError("a token has a symbol and a mint")
        for name in {token.symbol.upper(), token.mint, token.mint.upper()}:
            if seen.setdefault(name, token) is not token:
                raise ValueError(f"{name} names two tokens, {seen[name].symbol} and {token.symbol}")
