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
        *(
            ([Token("A", "a", 6, price)], "A: paperPrice is a decimal number greater than zero")
            for price in ("abc", "", "0", "-1", "1_000", "١", " 1", "1/3", "nan", "inf", "1e999999999", "1e-999999999")
        ),
    ],
)
def test_a_list_is_refused_when_a_name_has_two_meanings_or_an_amount_none(tokens: list[Token], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TokenList(tokens)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "{}",
        "[]",
        "",
        "[" * 100_000,
        '[{"symbol": "A"}]',
        '[{"symbol": "A", "mint": "a", "decimals": 9, "decimals": 6}]',
        '[{"symbol": "A", "mint": "a", "decimals": 9, "paperprice": "2"}]',
        '[{"symbol": "A", "mint": "a", "decimals": 9, "paperPrice": 2}]',
        '[{"symbol": "A", "mint": "a", "decimals": 9, "paperPrice": "abc"}]',
        None,
    ],
    ids=lambda text: text and text[:70],
)
def test_the_file_is_named_when_it_cannot_be_used(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as refused:
        load_tokens(file)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"TOKENS_FILE: {file}: ")


def test_the_field_is_named_when_a_token_has_it_twice_or_does_not_have_it(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    for field, name in (('"decimals": 6', "decimals"), ('"paperprice": "2"', "paperprice")):
        file.write_text(f'[{{"symbol": "A", "mint": "a", "decimals": 9, {field}}}]')
        with pytest.raises(SystemExit, match=name):
            load_tokens(file)


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
def test_a_token_is_found_by_symbol_in_any_case_and_by_mint_when_the_list_is_plain(
    tmp_path: Path, before: bytes
) -> None:
    file = tmp_path / "tokens.json"
    file.write_bytes(before + msgspec.json.encode([SOL, USDC]))
    tokens = load_tokens(file)
    assert [tokens.find(name, "x").symbol for name in ("sol", "SOL", "So111", "EPjF")] == ["SOL", "SOL", "SOL", "USDC"]
