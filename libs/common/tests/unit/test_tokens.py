"""The token list."""

from pathlib import Path

import msgspec
import pytest

from swaprail.domain.tokens import MAX_DECIMALS, Token, TokenList, load_tokens

SOL, USDC = Token("SOL", "So111", 9), Token("USDC", "EPjF", 6)


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        ([SOL, USDC, Token("SOL", "other", 9)], "SOL names two"),
        ([SOL, Token("sol", "other", 9)], "SOL names two"),
        ([SOL, Token("OTHER", "So111", 6)], "So111 names two|SO111 names two"),
        ([SOL, Token("So111", "other", 6)], "SO111 names two"),
        ([SOL, Token("so111", "other", 6)], "SO111 names two"),
        ([SOL, Token("OTHER", "SOL", 6)], "SOL names two"),
        ([Token("A", "a", -1)], "A has -1 decimals"),
        ([Token("A", "a", MAX_DECIMALS + 1)], "A has 20 decimals"),
        ([Token("", "a", 6)], "a symbol and a mint"),
    ],
)
def test_a_list_is_refused_when_a_name_has_two_meanings_or_an_amount_none(tokens: list[Token], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TokenList(tokens)


@pytest.mark.parametrize("text", ["[", "{}", '[{"symbol": "A"}]', None])
def test_the_file_is_named_when_it_cannot_be_used(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as refused:
        load_tokens(file)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"TOKENS_FILE: {file}: ")


def test_a_token_is_found_by_symbol_in_any_case_and_by_mint_when_the_list_is_plain(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_bytes(msgspec.json.encode([SOL, USDC]))
    tokens = load_tokens(file)
    assert [tokens.find(name, "x").symbol for name in ("sol", "SOL", "So111", "EPjF")] == ["SOL", "SOL", "SOL", "USDC"]
