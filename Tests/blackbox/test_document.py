"""The OpenAPI document, and the check that holds every response of every other test against it."""
import json

import openapi_spec_validator
import pytest

import described
from browser import Client
from server import ROOT, run


@pytest.fixture(scope="module")
def document():
    return described.document()


def operations(document):
    return [(path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def test_the_document_is_valid_and_of_this_version(document):
    openapi_spec_validator.validate(document)
    assert document["info"]["version"] == run("--version").stdout.strip()


def test_every_process_serves_the_same_bytes(shared, document):
    served = Client(shared).get("/auth/openapi.json")
    assert json.dumps(served.json) == json.dumps(document), "in the same order, so that ETags are the same"


def test_every_operation_has_a_summary_and_a_tag(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) >= 25
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert operation["summary"] and set(operation["tags"]) <= tags and "security" in operation, (method, path)


def test_examples_match_their_schemas(document):
    checked = described.Described(document)
    count = 0
    for path, method, operation in operations(document):
        bodies = [operation.get("requestBody", {})] + [checked.resolve(response) for response in operation["responses"].values()]
        for media_type in [content for body in bodies for content in body.get("content", {}).values()]:
            examples = [example["value"] for example in media_type.get("examples", {}).values()]
            examples += [media_type["example"]] if "example" in media_type else []
            for example in examples:
                checked.validator(media_type["schema"]).validate(example)
                count += 1
    assert count > 200


def test_the_response_in_the_documents_is_the_example_of_login(document):
    response = document["paths"]["/auth/login"]["post"]["responses"]["200"]["content"]["application/json"]
    assert json.loads((ROOT / "docs/snippets/session.json").read_text()) == response["example"]


def test_every_code_of_a_problem_is_in_the_document(document):
    codes = set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    named = set()
    for response in document["components"]["responses"].values():
        of_response = response["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"]
        assert set(of_response) == set(response["content"]["application/problem+json"]["examples"])
        named |= set(of_response)
    # No session is bound to a key yet. The others are responses of the gateway, which is no endpoint.
    assert codes - named == {
        "binding_required", "expectation_failed", "not_implemented", "target_too_long", "upstream_timeout", "upstream_unavailable",
        "version_not_supported"}


class Changed:
    """A real answer with something else about it."""

    def __init__(self, answer, status=None, headers=(), without=(), **members):
        self.status = status or answer.status
        self.headers = [item for item in answer.headers if item[0].lower() not in without] + list(headers)
        self.body = json.dumps(answer.json | members).encode() if members else answer.body
        self.header = lambda name: next((value for key, value in self.headers if key.lower() == name.lower()), None)


@pytest.mark.parametrize("change", [
    {"surplus": 1}, {"authenticated": "yes"}, {"delivery": "letter"}, {"user": {"email": "a@example.com"}}, {"session": {}}, {"access_token": 1},
    {"user": {"id": "u_1", "email": "a@example.com", "name": "Ann"}}, {"user": {"id": "u_1", "email": 1}},
    {"status": 418}, {"status": 202}, {"headers": [("X-Auth-Subject", "u_1")]}, {"without": ["content-type"]},
    {"headers": [("Content-Type", "text/html")], "without": ["content-type"]},
])
def test_a_response_that_differs_from_the_document_is_detected(client, change):
    answer = client.log_in()
    described.check("POST", "/auth/login", Changed(answer))
    with pytest.raises(AssertionError):
        described.check("POST", "/auth/login", Changed(answer, **change))


@pytest.mark.parametrize("change", [
    {"code": "session_revoked"}, {"code": "no_such_code"}, {"surplus": 1}, {"title": 1}, {"without": ["www-authenticate"]},
    {"headers": [("Retry-After", "1")]},
])
def test_a_problem_that_differs_from_the_document_is_detected(client, change):
    answer = client.log_in(password="not the password")
    described.check("POST", "/auth/login", Changed(answer))
    with pytest.raises(AssertionError):
        described.check("POST", "/auth/login", Changed(answer, **change))


def test_a_body_where_the_document_has_none_is_detected(client):
    answer = client.post("/auth/logout")
    described.check("POST", "/auth/logout", Changed(answer))
    changed = Changed(answer)
    changed.body = b"bye"
    with pytest.raises(AssertionError):
        described.check("POST", "/auth/logout", changed)


@pytest.mark.parametrize("method, path, private", [("GET", "/auth/login", False), ("PUT", "/auth/sessions/x", False), ("POST", "/metrics", True)])
def test_a_method_without_operation_is_405_and_nothing_else(shared, method, path, private):
    answer = Client(shared).send(method, path, private=private)
    assert answer.status == 405
    with pytest.raises(AssertionError):
        described.check(method, path, Changed(answer, status=403), private)
