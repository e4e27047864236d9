"""Checks every response of a documented path against the OpenAPI document that the server itself serves: its status, its
media type, its body, its headers, and the code of a problem. `Client` and `Wire` call it for each response that a test gets.

The document leaves objects open, because later versions may add members. Here they are closed: a member that the document
does not name fails the test."""
import functools
import http.client
import json
import re
import tempfile

import jsonschema
import referencing
from referencing.jsonschema import DRAFT202012

from server import Server

BASE = "urn:openapi"
# Headers that any response may have; the document speaks of them in general.
GENERAL = {
    "date", "content-type", "content-length", "connection", "transfer-encoding", "cache-control", "vary",
    "x-content-type-options", "referrer-policy", "content-security-policy", "strict-transport-security",
    "cross-origin-resource-policy", "cross-origin-opener-policy", "access-control-allow-origin",
    "access-control-allow-credentials", "access-control-expose-headers",
}
# Denials that come before the method is looked at.
BEFORE_THE_METHOD = {"400", "408", "421", "431"}


@functools.cache
def document():
    """The document of the binary; every server of it serves the same one."""
    with tempfile.TemporaryDirectory(prefix="cloakroom-document-") as directory:
        server = Server(f"{directory}/data", private=False)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request("GET", "/auth/openapi.json")
            return json.loads(connection.getresponse().read())
        finally:
            server.kill()


@functools.cache
def served():
    return Described(document())


def check(method, target, answer, private=False):
    served().check(method, target, answer, private)


def closed(schema):
    """The schema without room for members that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "$ref" not in schema:
        result.setdefault("additionalProperties", False)
    return result


class Described:
    def __init__(self, document):
        self.document = document
        self.registry = referencing.Registry().with_resource(
            BASE, referencing.Resource(contents=closed(document), specification=DRAFT202012))
        self.validators = {}
        self.patterns = [(self._pattern(path), path) for path in document["paths"] if "{" in path]

    def _pattern(self, path):
        """A parameter whose values the document lists stands for these alone, and one with a pattern for what it matches."""
        operation = next(iter(self.document["paths"][path].values()))
        schemas = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"] if parameter["in"] == "path"}

        def segment(match):
            values, pattern = schemas[match[1]].get("enum"), schemas[match[1]].get("pattern")
            if pattern:
                return pattern.removeprefix("^").removesuffix("$")
            return "(" + "|".join(map(re.escape, values)) + ")" if values else r"[\w-]{1,128}"
        return re.compile(re.sub(r"\{(\w+)\}", segment, path) + r"\Z", re.ASCII)

    def path(self, target, private):
        """The path of the document that a target is of; None for another."""
        path = target.split("?", 1)[0]
        if private and path.startswith("/auth/check;"):
            return "/auth/check"
        if path in self.document["paths"]:
            return path
        return next((name for pattern, name in self.patterns if pattern.match(path)), None)

    def operations(self, target, private):
        """The operations of a target on one listener, by method."""
        path = self.path(target, private)
        listener = "{privateListener}" if private else "/"
        return path, {
            method: operation for method, operation in self.document["paths"].get(path, {}).items()
            if any(server["url"] == listener for server in operation.get("servers", self.document["servers"]))}

    def check(self, method, target, answer, private):
        path, operations = self.operations(target, private)
        if not operations or answer.status < 200:
            return
        operation = operations.get("get" if method == "HEAD" or path == "/auth/check" else method.lower())
        if operation is None:
            if method == "OPTIONS" and answer.status == 204:
                return
            some = next(iter(operations.values()))["responses"]
            responses = {"405": {"$ref": "#/components/responses/MethodNotAllowed"}}
            responses |= {status: some[status] for status in BEFORE_THE_METHOD}
        else:
            responses = operation["responses"]
        reference = responses.get(str(answer.status))
        assert reference, f"{method} {target} answered {answer.status}, which the document does not have: {answer}"
        self.check_response(self.resolve(reference), method, target, answer)

    def resolve(self, response):
        if "$ref" not in response:
            return response
        return self.document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]

    def check_response(self, response, method, target, answer):
        where = f"{method} {target}, {answer}"
        headers = {name.lower() for name, _ in answer.headers}
        documented = {name.lower(): header for name, header in response.get("headers", {}).items()}
        assert headers - GENERAL <= documented.keys(), f"{where}: undocumented headers {headers - GENERAL - documented.keys()}"
        missing = {name for name, header in documented.items() if header.get("required")} - headers
        assert not missing, f"{where}: without {missing}"
        if method == "HEAD":
            return
        content = response.get("content", {})
        if not content:
            assert answer.body == b"", f"{where}: a body that the document does not have"
            return
        media_type = (answer.header("content-type") or "").split(";")[0]
        assert media_type in content, f"{where}: the document has {set(content)}"
        if media_type.endswith("json"):
            error = jsonschema.exceptions.best_match(self.validator(content[media_type]["schema"]).iter_errors(json.loads(answer.body)))
            assert error is None, f"{where}: {error.json_path}: {error.message}"

    def validator(self, schema):
        key = id(schema)
        if key not in self.validators:
            absolute = json.loads(json.dumps(closed(schema)).replace('"#/', f'"{BASE}#/'))
            self.validators[key] = jsonschema.Draft202012Validator(
                absolute, registry=self.registry, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        return self.validators[key]
