"""The inputs of the fuzzer, through the gateway to servers of other projects: each must read the requests that the gateway
has read, or refuse them. One more request, or another body, is what request smuggling is."""
import json

import pytest

import recorders
from gateway import Gateway
from server import ROOT
from wire import Closed, Wire

CORPUS = json.loads((ROOT / "Fuzz/Corpus/requests.json").read_text())
# The host of the inputs.
SETTINGS = {"publicURL": "https://a"}
ROUTES = [{"path": "/*", "access": "public"}]


@pytest.fixture(params=recorders.ALL)
def recorder(request, tmp_path):
    recorder = recorders.ALL[request.param](tmp_path)
    yield recorder
    recorder.stop()


@pytest.fixture
def gateway(recorder, tmp_path):
    gateway = Gateway(tmp_path / "data", ROUTES, upstream=recorder.address, **SETTINGS)
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


def send(gateway, row):
    """Sends an input on a connection of its own, and reads what the gateway answers."""
    with Wire(gateway) as wire:
        try:
            wire.send(row["input"].encode("latin-1"))
            for request in row["requests"]:
                while wire.answer(request["method"]).status < 200:
                    pass
            if row["closes"]:
                wire.rest()
        except (Closed, ConnectionError):
            pass


def settle(gateway, recorder, number):
    """The requests that have reached the recorder since the last call."""
    target = f"/settled/{number}"
    with Wire(gateway) as wire:
        wire.request("GET", target, host="a")
        assert wire.answer().status == 200
    return recorder.until(target)


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(element in rest for element in part)


def test_a_server_behind_the_gateway_reads_what_the_gateway_has_read(gateway, recorder):
    read = seen = 0
    for number, row in enumerate(CORPUS):
        send(gateway, row)
        received = settle(gateway, recorder, number)
        assert is_subsequence(received, row["requests"]), (row, received)
        read += len(row["requests"])
        seen += len(received)
    # Requests for another host, for our own endpoints, and of methods that the server does not know are refused.
    assert seen > read / 2, (seen, read)
