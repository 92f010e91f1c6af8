"""Whole numbers of the command line, in the spelling that the engine takes."""

import re
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter, Token

_WHOLE = re.compile(r"-?[0-9]{1,18}")


def _read(_kind: object, tokens: Sequence[Token]) -> int:
    # In place of cyclopts' own reading, which rounds 49.6, and takes 1_0, 0x10 and digits of any script.
    if not _WHOLE.fullmatch(tokens[0].value):
        message = "a whole number is written in digits alone"
        raise ValueError(message)
    return int(tokens[0].value)


Whole = Annotated[int, Parameter(converter=_read)]
