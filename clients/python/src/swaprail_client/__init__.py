"""Python client library and the swaprail command."""

from swaprail_client.client import SwaprailClient
from swaprail_client.errors import SwaprailError
from swaprail_client.keys import ApiKey, NewApiKey
from swaprail_client.orders import (
    TERMINAL,
    Attempt,
    BatchResult,
    Failure,
    NewOrder,
    Order,
    OrderPage,
    Quote,
    Route,
    StatusMessage,
)
from swaprail_client.retries import Backoff

__all__ = [
    "TERMINAL",
    "ApiKey",
    "Attempt",
    "Backoff",
    "BatchResult",
    "Failure",
    "NewApiKey",
    "NewOrder",
    "Order",
    "OrderPage",
    "Quote",
    "Route",
    "StatusMessage",
    "SwaprailClient",
    "SwaprailError",
]
