import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.push import StatusMessage
from swaprail.messages.topics import HandedOver, OrderEvent, Topic
from swaprail_local.asyncapi import TICKET_PATH
from swaprail_local.message_schemas import message_types
from swaprail_local.schemas import documents

TRAVELLING: list[type[Any]] = [*message_types(), HandedOver, LeasedOrder, OrderEvent]
PLACES = [("asyncapi.json", f"#/components/schemas/{struct.__name__}", struct) for struct in TRAVELLING] + [
    ("topics.json", f"#/$defs/{struct.__name__}", struct) for struct in TRAVELLING if struct is not StatusMessage
]


@pytest.fixture(scope="module")
def decoded() -> dict[str, Any]:
    return {name: msgspec.json.decode(content) for name, content in documents().items()}


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*(references(item) for item in node))
    if not isinstance(node, dict):
        return set()
    here = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return here.union(*(references(value) for value in node.values()))


def resolve(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part.replace("~1", "/")]
    return document


def test_bytes_are_the_same_when_another_process_writes_them(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "swaprail_local.schemas"], cwd=tmp_path, check=True, timeout=60)
    written = {path.name: path.read_bytes() for path in (tmp_path / "schemas").iterdir()}
    assert written == documents()
    assert all(content.endswith(b"}\n") for content in written.values())


@pytest.mark.parametrize(("name", "reference", "struct"), PLACES, ids=lambda value: str(value).rpartition("/")[2])
def test_every_field_is_named_when_a_struct_travels(
    decoded: dict[str, Any], name: str, reference: str, struct: type[msgspec.Struct]
) -> None:
    schema = resolve(decoded[name], reference)
    fields = msgspec.structs.fields(struct)
    tag = {"type"} if struct is StatusMessage else set()
    assert set(schema["properties"]) == {field.encode_name for field in fields} | tag
    assert set(schema["required"]) == {field.encode_name for field in fields if field.required} | tag


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json", "topics.json"])
def test_every_reference_leads_somewhere(decoded: dict[str, Any], name: str) -> None:
    found = references(decoded[name])
    assert found
    for reference in found:
        assert resolve(decoded[name], reference)


def test_every_topic_has_a_writer_and_a_reader(decoded: dict[str, Any]) -> None:
    topics = decoded["topics.json"]["topics"]
    assert set(topics) == set(Topic)
    assert all(topic["publishers"] and topic["consumers"] for topic in topics.values())
    operations = decoded["asyncapi.json"]["operations"].values()
    channels = decoded["asyncapi.json"]["channels"]
    for name, channel in channels.items():
        if channel["address"] in topics:
            actions = {o["action"] for o in operations if o["channel"]["$ref"] == f"#/channels/{name}"}
            assert actions == {"send", "receive"}


def test_data_are_described_for_every_status(decoded: dict[str, Any]) -> None:
    schema = decoded["asyncapi.json"]["components"]["schemas"]["StatusMessage"]
    told = [rule["if"]["properties"]["status"]["const"] for rule in schema["allOf"]]
    assert set(told) == set(Status)


def test_the_ticket_of_the_sockets_is_one_that_the_api_issues(decoded: dict[str, Any]) -> None:
    assert "post" in decoded["openapi.json"]["paths"][TICKET_PATH]
