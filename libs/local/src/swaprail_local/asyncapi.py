"""The AsyncAPI 3.0 document: what the notifier sends over WebSockets, and what the services tell each other."""

from typing import Any

from swaprail.messages.topics import Topic
from swaprail_local.message_schemas import message_types, schemas_of
from swaprail_local.topic_map import STREAMS, Stream

type Json = dict[str, Any]

ENVELOPE = (
    "An entry of the stream has one field, __data__: FastStream's binary format, whose body is the JSON described here."
)
TICKET_PATH = "/api/ws-tickets"
_TICKET = {"type": "string", "description": f"one-time ticket of POST {TICKET_PATH}, for clients that send no header"}
_AFTER_SEQ = {"type": "integer", "minimum": 0, "default": 0, "description": "number of the last step seen"}
_AFTER_TIME = {
    "type": "string",
    "description": "timestamp of the last message seen: ISO 8601 with offset, or milliseconds",
}
_ORDER = "Every step of one order after a number, in order, each once; then live."
_WALLET = "The steps of a wallet's orders: all of the open ones and of those closed after a time; then live."


def asyncapi_document() -> Json:
    """Return the document."""
    channels, operations = _sockets()
    for topic, stream in STREAMS.items():
        _add_stream(topic, stream, channels, operations)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Swaprail",
            "version": "1",
            "description": "Steps of orders over WebSockets, and the topics between the services.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "notifier": {"host": "localhost:3000", "protocol": "ws", "description": "for clients"},
            "redis": {"host": "localhost:6379", "protocol": "redis", "description": "between the services only"},
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": _messages(), "schemas": schemas_of(message_types(), "#/components/schemas/{name}")},
    }


def _sockets() -> tuple[Json, Json]:
    channels = {
        "order": _socket("/ws/orders/{orderId}", _ORDER, {"orderId": "id of the order"}, _AFTER_SEQ),
        "wallet": _socket("/ws/wallets/{wallet}", _WALLET, {"wallet": "name of the wallet"}, _AFTER_TIME),
    }
    operations = {
        f"notifierSends{_capital(name)}Steps": _operation("send", name, "StatusMessage", f"notifier sends {name} steps")
        for name in channels
    }
    return channels, operations


def _socket(address: str, description: str, parameters: dict[str, str], after: Json) -> Json:
    query = {"after": after, "ticket": _TICKET}
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": "#/servers/notifier"}],
        "parameters": {name: {"description": told} for name, told in parameters.items()},
        "messages": _listed("StatusMessage"),
        "bindings": {"ws": {"method": "GET", "query": {"type": "object", "properties": query}}},
    }


def _add_stream(topic: Topic, stream: Stream, channels: Json, operations: Json) -> None:
    name, message = _camel(topic), stream.message.__name__
    readers = "each entry goes to one consumer of the group" if stream.group else "every replica reads every entry"
    channels[name] = {
        "address": str(topic),
        "description": f"A Redis stream; {readers}. {ENVELOPE}",
        "servers": [{"$ref": "#/servers/redis"}],
        "messages": _listed(message),
    }
    for service in stream.publishers:
        operations[f"{service}Sends{_capital(name)}"] = _operation("send", name, message, f"{service} publishes")
    for service in stream.consumers:
        group = f" as group {stream.group}" if stream.group else ""
        operations[f"{service}Receives{_capital(name)}"] = _operation(
            "receive", name, message, f"{service} reads{group}"
        )
    if stream.reply is not None:
        _add_reply(name, stream.reply.__name__, channels, operations)


def _add_reply(name: str, reply: str, channels: Json, operations: Json) -> None:
    replies = f"{name}Replies"
    channels[replies] = {
        "address": None,
        "description": "A Redis channel of the asking process; each request names it in its reply_to.",
        "servers": [{"$ref": "#/servers/redis"}],
        "messages": _listed(reply),
    }
    answer = {"channel": {"$ref": f"#/channels/{replies}"}, "messages": [_message_of(replies, reply)]}
    for key, operation in operations.items():
        if key.endswith(f"s{_capital(name)}"):
            operation["reply"] = answer


def _operation(action: str, channel: str, message: str, summary: str) -> Json:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [_message_of(channel, message)],
    }


def _messages() -> Json:
    described = {}
    for kind in message_types():
        payload = {"$ref": f"#/components/schemas/{kind.__name__}"}
        summary = (kind.__doc__ or "").strip()
        described[kind.__name__] = {"name": kind.__name__, "summary": summary, "payload": payload}
    return described


def _message_of(channel: str, message: str) -> Json:
    return {"$ref": f"#/channels/{channel}/messages/{message}"}


def _listed(message: str) -> Json:
    return {message: {"$ref": f"#/components/messages/{message}"}}


def _camel(topic: Topic) -> str:
    first, *others = str(topic).split(".")
    return first + "".join(_capital(word) for word in others)


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]
