"""JSON Schemas of the messages, made of the structs that the services encode and decode."""

from functools import cache, partial
from typing import Annotated, Any, get_args, get_origin

import msgspec

from swaprail.domain.lifecycle import Status
from swaprail.domain.quotes import QuoteResult, Routing
from swaprail.messages.push import StatusMessage
from swaprail.messages.topics import VERSION
from swaprail_local.step_data import STEP_DATA
from swaprail_local.topic_map import STREAMS

type Json = dict[str, Any]

# What fields hold whose type says less, because services pass them on unread.
HELD: dict[str, Any] = {
    "status": Status,
    "data": dict[str, Any],
    "quotes": list[QuoteResult],
    "routing": Routing | None,
}


def message_types() -> list[type[msgspec.Struct]]:
    """Return every struct that travels as a message of its own."""
    streams = STREAMS.values()
    return [s.message for s in streams] + [s.reply for s in streams if s.reply is not None] + [StatusMessage]


def schemas_of(kinds: list[type[msgspec.Struct]], ref_template: str) -> Json:
    """Return the schemas of the structs and of all they refer to, by name."""
    data = [kind for kinds_of_status in STEP_DATA.values() for kind in kinds_of_status]
    twins = [_described(kind) for kind in kinds]
    _, components = msgspec.json.schema_components([*twins, *data], ref_template=ref_template)
    for schema in components.values():
        _tell_data(schema, ref_template)
    return components


def topics_document() -> Json:
    """Return the schema of every topic's messages."""
    kinds = [kind for kind in message_types() if kind is not StatusMessage]
    reference = "#/$defs/{name}"
    topics: Json = {}
    for topic, stream in STREAMS.items():
        described: Json = {
            "version": VERSION,
            "message": {"$ref": reference.format(name=stream.message.__name__)},
            "publishers": list(stream.publishers),
            "consumers": list(stream.consumers),
            "group": stream.group,
        }
        if stream.reply is not None:
            described["reply"] = {"$ref": reference.format(name=stream.reply.__name__)}
        topics[topic] = described
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Swaprail topics",
        "description": "Redis streams by name, and the JSON of the messages in them.",
        "topics": topics,
        "$defs": schemas_of(kinds, reference),
    }


@cache
def _described(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return a struct of the same wire form whose fields say what they hold: raw JSON has no schema of its own."""
    fields = [(field.name, _held(field), _default(field)) for field in msgspec.structs.fields(kind)]
    config = kind.__struct_config__
    return msgspec.defstruct(
        kind.__name__,
        fields,
        kw_only=True,
        tag=config.tag,
        tag_field=config.tag_field,
        namespace={"__doc__": kind.__doc__},
    )


def _held(field: msgspec.structs.FieldInfo) -> Any:
    if field.name in HELD:
        return HELD[field.name]
    if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
        return _described(field.type)
    kind, *bounds = get_args(field.type) if get_origin(field.type) is Annotated else (field.type,)
    items = get_args(kind)
    if get_origin(kind) is list and issubclass(items[0], msgspec.Struct):
        return Annotated[(list[_described(items[0])], *bounds)]  # type: ignore[misc]
    return field.type


def _default(field: msgspec.structs.FieldInfo) -> Any:
    named = partial(msgspec.field, name=field.encode_name)
    if field.default is msgspec.NODEFAULT:
        return named()
    default = msgspec.json.decode(field.default) if isinstance(field.default, msgspec.Raw) else field.default
    return named(default_factory=dict) if default == {} else named(default=default)


def _tell_data(schema: Json, ref_template: str) -> None:
    """Tie the form of data to the status beside it."""
    properties = schema.get("properties", {})
    if not {"status", "data"} <= properties.keys():
        return
    schema["allOf"] = [
        {
            "if": {"properties": {"status": {"const": status}}},
            "then": {"properties": {"data": _any_of([ref_template.format(name=k.__name__) for k in kinds])}},
        }
        for status, kinds in STEP_DATA.items()
    ]


def _any_of(references: list[str]) -> Json:
    if len(references) == 1:
        return {"$ref": references[0]}
    return {"anyOf": [{"$ref": reference} for reference in references]}
