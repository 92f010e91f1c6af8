"""The tokens that orders may name, by symbol or mint."""

from importlib.resources import files
from pathlib import Path

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode


class Token(msgspec.Struct, frozen=True, rename="camel"):
    """A token: 1 token is 10**decimals base units. paper_price is in US dollars, read only by paper venues."""

    symbol: str
    mint: str
    decimals: int
    paper_price: str = "1"


class TokenList:
    """The configured tokens."""

    def __init__(self, tokens: list[Token]) -> None:
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
    raw = path.read_bytes() if path else files("swaprail.domain").joinpath("tokens.json").read_bytes()
    return TokenList(msgspec.json.decode(raw, type=list[Token]))
