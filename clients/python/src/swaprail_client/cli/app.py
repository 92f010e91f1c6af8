"""The verbs of `swaprail`, and how a run of it ends."""

import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version

import stamina.instrumentation
from cyclopts import App, CycloptsError
from stamina.instrumentation import RetryDetails

from swaprail_client.cli.key_commands import keys
from swaprail_client.cli.outcomes import Exit, UsageError
from swaprail_client.cli.output import note
from swaprail_client.cli.reading import get, health, list_orders, quote
from swaprail_client.cli.submitting import cancel, execute, submit
from swaprail_client.cli.watching import watch
from swaprail_client.errors import SwaprailError

app = App(
    name="swaprail",
    help="Swap tokens through a Swaprail engine, and watch each step.\n\n"
    "Start with `swaprail submit SOL USDC 1.5 --wallet me --watch`.",
    help_epilogue="Exit codes: 0 done, or CONFIRMED; 1 refused, or FAILED; 2 CANCELLED or EXPIRED; "
    "3 could not tell: no answer, or the connection was given up; 64 wrong usage; 130 Ctrl-C.",
    version=version("swaprail-client"),
    suppress_keyboard_interrupt=False,
    end_of_options_delimiter="--",
)
app.command(submit)
app.command(watch)
app.command(get)
app.command(list_orders, name="list")
app.command(quote)
app.command(execute)
app.command(cancel)
app.command(health)
app.command(keys)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    # In place of the default, which logs: standard output is the command's alone.
    stamina.instrumentation.set_on_retry_hooks([_tell_first_retry])
    try:
        _refuse_undecoded(arguments)
        result = app([*arguments], exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except (CycloptsError, UsageError) as error:
        note(f"swaprail: {_without_values(str(error))} Try --help.")
        return Exit.USAGE
    except KeyboardInterrupt:
        note("swaprail: stopped. An order that was accepted goes on.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Nobody reads any more; without this the interpreter would complain at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.UNKNOWN
    return result if isinstance(result, int) else Exit.OK


def _tell_first_retry(details: RetryDetails) -> None:
    if details.retry_num == 1:
        error = details.caused_by
        reason = error.title if isinstance(error, SwaprailError) else "The engine cannot be reached"
        note(f"swaprail: {reason}; trying again while --timeout lasts.")


def _refuse_undecoded(arguments: Sequence[str]) -> None:
    # Bytes that are no UTF-8 come as halves of characters, which nothing can send.
    given = (
        *arguments,
        *(os.environ.get(name, "") for name in ("SWAPRAIL_URL", "SWAPRAIL_WALLET", "SWAPRAIL_API_KEY")),
    )
    if any("\ud800" <= character <= "\udfff" for text in given for character in text):
        message = "an argument or a setting is not text in UTF-8"
        raise UsageError(message)


def _without_values(text: str) -> str:
    # A mistyped option may carry a secret: name it, leave out what it was given.
    text = re.sub(r"(--?[\w-]+)=\S*", r"\1", text)
    return text if text.endswith((".", "?", "!")) else f"{text}."
