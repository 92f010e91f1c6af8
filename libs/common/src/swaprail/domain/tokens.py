"""The tokens that orders may name, by symbol or mint."""

from importlib.resources import files
from pathlib import Path

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode

MAX_DECIMALS = 19  # one token of more is beyond 64 bits


class Token(msgspec.Struct, frozen=True, rename="camel"):
    """A token: 1 token is 10**decimals base units. paper_price is in US dollars, read only by paper venues."""

    symbol: str
    mint: str
    decimals: int
    paper_price: str = "1"


class TokensRefusedError(SystemExit):
    """The token list cannot be used; the message says why."""


class TokenList:
    """The configured tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        """Take the tokens; ValueError when a name could mean two of them, or an amount none."""
        _refuse_ambiguous(tokens)
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
        return TokenList(msgspec.json.decode(shipped, type=list[Token]))
    try:
        return TokenList(msgspec.json.decode(path.read_bytes(), type=list[Token]))
    except (OSError, ValueError) as error:
        raise TokensRefusedError(f"TOKENS_FILE: {path}: {error}") from None


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
