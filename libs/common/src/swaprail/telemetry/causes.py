"""Why another server does not serve us: in its own words or the library's, and what helps where we know it."""

# What a message holds, in small letters, and what to do about it.
_CURES = {
    "key usage": "the authority's certificate needs the key usage keyCertSign (RFC 5280), which Python checks since 3.13",
    "startup parameter": "a pooler in between refuses how we set up our sessions: connect to PostgreSQL itself",
    "read-only": "the server was demoted, or guards a full disk: where does its address point?",
}
_LONGEST = 300  # characters


def cause_of(error: BaseException) -> str:
    """Return one line: the error's own words, or the type's name if it has none, with a cure if there is one."""
    words = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
    cure = next((cure for sign, cure in _CURES.items() if sign in words.lower()), "")
    return f"{words} ({cure})" if cure else words
