"""The parser of event streams, at every split of the bytes. event_stream.test.mjs runs the same table."""
import json
import pathlib

import pytest

from cloakroom_resource_server.address import IssuerFailure
from cloakroom_resource_server.event_stream import EventStreamParser
from cloakroom_resource_server.limits import MAXIMUM_EVENT

TABLE = json.loads((pathlib.Path(__file__).parent / "event_streams.json").read_text())


def items(*chunks):
    parser = EventStreamParser()
    found = [item for chunk in chunks for item in parser.read(chunk)]
    return [item and [item.name, item.data.decode(), item.id] for item in found]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["name"])
def test_the_items_of_a_stream_are_the_same_at_every_split(row):
    text = row["text"].encode()
    assert items(*(text[place:place + 1] for place in range(len(text)))) == row["items"]
    for place in range(len(text) + 1):
        assert items(text[:place], text[place:]) == row["items"], place


@pytest.mark.parametrize("line", [b"data: " + b"x" * MAXIMUM_EVENT, b"data: " + b"\ndata: ".join([b"x" * 1000] * 70)])
def test_an_event_that_is_too_long_breaks_the_stream(line):
    with pytest.raises(IssuerFailure):
        items(line)
