"""Every error a client or an order can meet: its code, HTTP status, whether retrying helps, log level, hint."""

import logging
from enum import StrEnum

import msgspec


class ErrorCode(StrEnum):
    """Stable names; a client may rely on them."""

    VALIDATION_FAILED = "validation_failed"
    BODY_INVALID = "body_invalid"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    AMOUNT_INVALID = "amount_invalid"
    AMOUNT_TOO_PRECISE = "amount_too_precise"
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105
    TOKENS_EQUAL = "tokens_equal"
    EXPIRY_IN_PAST = "expiry_in_past"
    EXPIRY_TOO_FAR = "expiry_too_far"
    CURSOR_INVALID = "cursor_invalid"
    BATCH_INVALID = "batch_invalid"
    ORDER_NOT_FOUND = "order_not_found"
    ORDER_STATUS_MISMATCH = "order_status_mismatch"
    ORDER_NOT_CANCELLABLE = "order_not_cancellable"
    IDEMPOTENCY_KEY_REQUIRED = "idempotency_key_required"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    ACCOUNT_LIMIT = "account_limit"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    QUOTES_UNAVAILABLE = "quotes_unavailable"
    INTERNAL = "internal_error"
    # What an order can fail with.
    NO_ROUTE = "no_route"
    MIN_OUTPUT_UNREACHABLE = "min_output_unreachable"
    PRICE_UNCONFIRMED = "price_unconfirmed"
    SLIPPAGE_EXCEEDED = "slippage_exceeded"
    VENUE_REJECTED = "venue_rejected"
    BUILD_FAILED = "build_failed"
    DEADLINE_PASSED = "deadline_passed"


class ErrorKind(msgspec.Struct, frozen=True):
    """How an error is told and handled."""

    http_status: int
    retryable: bool
    log_level: int
    title: str
    hint: str


_I, _W, _E = logging.INFO, logging.WARNING, logging.ERROR

CATALOGUE: dict[ErrorCode, ErrorKind] = {
    ErrorCode.VALIDATION_FAILED: ErrorKind(
        400, False, _I, "The request is not valid", "Correct the fields named in errors."
    ),
    ErrorCode.BODY_INVALID: ErrorKind(400, False, _I, "The body is not valid JSON", "Send one JSON object."),
    ErrorCode.BODY_TOO_LARGE: ErrorKind(
        413, False, _I, "The body is too large", "Send at most the bytes named in detail."
    ),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: ErrorKind(
        415, False, _I, "Only JSON is understood", "Set Content-Type: application/json."
    ),
    ErrorCode.NOT_FOUND: ErrorKind(404, False, _I, "There is nothing here", "See /docs for every path."),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorKind(
        405, False, _I, "The path does not take this method", "See the Allow header."
    ),
    ErrorCode.AMOUNT_INVALID: ErrorKind(
        400, False, _I, "The amount is not valid", "Give a positive number or decimal string."
    ),
    ErrorCode.AMOUNT_TOO_PRECISE: ErrorKind(
        400, False, _I, "The amount has too many decimal places", "Round it to the decimals of the token."
    ),
    ErrorCode.TOKEN_UNKNOWN: ErrorKind(
        400, False, _I, "The token is not known", "Use a symbol or mint of the configured list."
    ),
    ErrorCode.TOKENS_EQUAL: ErrorKind(400, False, _I, "Input and output are the same token", "Name two tokens."),
    ErrorCode.EXPIRY_IN_PAST: ErrorKind(
        400, False, _I, "expiresAt is not in the future", "Give a later time, with its offset."
    ),
    ErrorCode.EXPIRY_TOO_FAR: ErrorKind(
        400,
        False,
        _I,
        "expiresAt is too far away",
        "Give an earlier time, and post the order again when it has passed.",
    ),
    ErrorCode.CURSOR_INVALID: ErrorKind(
        400, False, _I, "The cursor is not one of ours", "Pass nextCursor unchanged, or leave it out."
    ),
    ErrorCode.BATCH_INVALID: ErrorKind(400, False, _I, "The batch is not valid", "Send 1 to 100 orders."),
    ErrorCode.ORDER_NOT_FOUND: ErrorKind(
        404, False, _I, "There is no such order", "Check the id and the account of your key."
    ),
    ErrorCode.ORDER_STATUS_MISMATCH: ErrorKind(
        409, False, _I, "The order is not waiting to be executed", "Read status: another request was first."
    ),
    ErrorCode.ORDER_NOT_CANCELLABLE: ErrorKind(
        409, False, _I, "The order can no longer be cancelled", "A submitted swap may still land; watch the order."
    ),
    ErrorCode.IDEMPOTENCY_KEY_REQUIRED: ErrorKind(
        400, False, _I, "An Idempotency-Key header is required", "Send a new random key with each new order."
    ),
    ErrorCode.IDEMPOTENCY_KEY_INVALID: ErrorKind(
        400, False, _I, "The Idempotency-Key is not valid", "Use 1 to 255 visible ASCII characters."
    ),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: ErrorKind(
        422, False, _I, "The key was used with another request", "Use a new key for a new order."
    ),
    ErrorCode.IDEMPOTENCY_KEY_IN_USE: ErrorKind(
        409, True, _I, "The first request with this key is still running", "Repeat the same request."
    ),
    ErrorCode.UNAUTHENTICATED: ErrorKind(
        401, False, _I, "A valid API key is required", "Send Authorization: Bearer <key>."
    ),
    ErrorCode.FORBIDDEN: ErrorKind(
        403, False, _I, "The key lacks the scope", "Ask for a key with the scope named in detail."
    ),
    ErrorCode.RATE_LIMITED: ErrorKind(429, True, _I, "Too many requests", "Wait the seconds in Retry-After."),
    ErrorCode.ACCOUNT_LIMIT: ErrorKind(
        429, True, _I, "The account has as much as it may have", "Wait until some of it has ended, or ask for more."
    ),
    ErrorCode.OVERLOADED: ErrorKind(
        503, True, _W, "The engine has more open orders than it takes", "Wait the seconds in Retry-After."
    ),
    ErrorCode.UNAVAILABLE: ErrorKind(
        503, True, _W, "A dependency is away", "Repeat the same request with the same Idempotency-Key."
    ),
    ErrorCode.QUOTES_UNAVAILABLE: ErrorKind(503, True, _W, "No router answered in time", "Repeat the request."),
    ErrorCode.INTERNAL: ErrorKind(
        500, True, _E, "The engine failed", "Repeat with the same Idempotency-Key; report the trace id."
    ),
    ErrorCode.NO_ROUTE: ErrorKind(
        409, True, _I, "No venue gave a usable quote in time", "Post a new order later, or with more slippage."
    ),
    ErrorCode.MIN_OUTPUT_UNREACHABLE: ErrorKind(
        409, True, _I, "Every quote was below minOutputAmount", "Lower minOutputAmount, or wait for a better price."
    ),
    ErrorCode.PRICE_UNCONFIRMED: ErrorKind(
        409,
        True,
        _I,
        "One venue alone gave a price, and nothing confirmed it",
        "Post a new order with minOutputAmount, which bounds the price, or when another venue answers.",
    ),
    ErrorCode.SLIPPAGE_EXCEEDED: ErrorKind(
        409,
        True,
        _I,
        "The price moved past the slippage limit",
        "Post a new order, with more slippage if you accept it.",
    ),
    ErrorCode.VENUE_REJECTED: ErrorKind(409, True, _I, "The venue's program refused the swap", "Post a new order."),
    ErrorCode.BUILD_FAILED: ErrorKind(
        409, True, _W, "The swap could not be built", "Post a new order; report it if it happens again."
    ),
    ErrorCode.DEADLINE_PASSED: ErrorKind(
        409, True, _I, "The order's time ran out before it was submitted", "Post a new order with a later expiresAt."
    ),
}


class EngineError(Exception):
    """An error with a code of the catalogue."""

    def __init__(self, code: ErrorCode, detail: str, *, field: str | None = None, **extra: object) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.extra = extra

    @property
    def kind(self) -> ErrorKind:
        """The catalogue's row of this error."""
        return CATALOGUE[self.code]
