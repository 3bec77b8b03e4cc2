"""openapi.json: whole, sound, and in agreement with docs/API.md and the .proto files."""

import pathlib
import re

import pytest

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"
OWN = {("get", "/livez"), ("get", "/readyz"), ("get", "/health"), ("get", "/openapi.json"), ("get", "/docs")}
SCHEMA_WORDS = {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum",
                "exclusiveMinimum", "enum", "const", "format", "pattern", "default", "description", "writeOnly", "examples", "anyOf", "contentEncoding", "$ref"}
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}


@pytest.fixture
def document(quire):
    return quire.openapi


def nodes(node, path=""):
    """Every object of the document with its place."""
    if isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from nodes(value, f"{path}/{name}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from nodes(value, f"{path}/{i}")


def resolved(document, node):
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def operations(document):
    return {(method, path): operation for path, methods in document["paths"].items() for method, operation in methods.items()}


def schemas(node):
    """Every schema in the document, those inside schemas too."""
    for _, found in nodes(node):
        if isinstance(found.get("schema"), dict):
            yield from inner_schemas(found["schema"])


def inner_schemas(schema):
    yield schema
    for inner in [*schema.get("properties", {}).values(), *schema.get("anyOf", [])] + ([schema["items"]] if "items" in schema else []):
        yield from inner_schemas(inner)


def test_every_route_of_the_proto_files_is_there(document):
    routes = set()
    for file in PROTO.rglob("*.proto"):
        routes |= set(re.findall(r'google\.api\.http\) = \{ (get|put|post|delete|patch): "([^"]+)"', file.read_text()))
    assert len(routes) == 14
    assert operations(document).keys() == routes | OWN


def test_references_lead_somewhere_and_components_are_used(document):
    used = {node["$ref"] for _, node in nodes(document) if "$ref" in node}
    for reference in used:
        assert resolved(document, {"$ref": reference}) is not None
    named = {f"#/components/{kind}/{name}" for kind, components in document["components"].items() if kind != "securitySchemes" for name in components}
    assert named == used


def test_operations_are_sound(document):
    found = operations(document)
    identifiers = [operation["operationId"] for operation in found.values()]
    assert len(identifiers) == len(set(identifiers))
    tags = {tag["name"] for tag in document["tags"]}
    for (method, path), operation in found.items():
        parameters = [resolved(document, parameter) for parameter in operation["parameters"]]
        places = [(parameter["in"], parameter["name"].lower()) for parameter in parameters]
        assert len(places) == len(set(places))
        assert {name for place, name in places if place == "path"} == set(re.findall(r"\{(\w+)\}", path))
        assert all(parameter["required"] for parameter in parameters if parameter["in"] == "path")
        assert set(operation["tags"]) <= tags
        assert ("requestBody" in operation) <= (method in ("post", "put", "patch"))
        assert operation["summary"]
        for status, response in operation["responses"].items():
            response = resolved(document, response)
            assert re.fullmatch(r"[2-5]\d\d", status) and response["description"]
            assert {"X-Request-ID", "X-Process-Time"} <= response["headers"].keys()
            assert ("content" in response) == (status not in ("204", "304"))


def test_schemas_say_nothing_that_json_schema_does_not_know(document):
    found = list(schemas(document)) + [inner for schema in document["components"]["schemas"].values() for inner in inner_schemas(schema)]
    assert len(found) > 100
    for schema in found:
        assert schema.keys() <= SCHEMA_WORDS, schema
        kinds = schema.get("type", [])
        assert set([kinds] if isinstance(kinds, str) else kinds) <= TYPES
        assert set(schema.get("required", [])) <= schema.get("properties", {}).keys() or "properties" not in schema
        if "$ref" in schema:
            assert schema.keys() <= {"$ref", "description"}


def test_failures_are_problems(document):
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                content = resolved(document, response)["content"]
                assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_failures_that_every_call_can_have(document):
    for route, operation in operations(document).items():
        if route not in OWN:
            assert {"400", "408", "413", "414", "422", "429", "431", "500", "503", "504"} <= operation["responses"].keys()


def test_headers_of_failures(document):
    responses = document["components"]["responses"]
    assert "Retry-After" in responses["ServiceUnavailable"]["headers"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= responses["TooManyRequests"]["headers"].keys()
    assert "WWW-Authenticate" in responses["Unauthorized"]["headers"]


def test_sessions_are_asked_for_where_they_are_needed(document):
    public = {route for route, operation in operations(document).items() if operation["security"] == []}
    assert public == OWN | {("post", "/auth/register"), ("post", "/auth/login")}
    for route, operation in operations(document).items():
        if route not in public:
            assert operation["security"] == [{"bearer": []}]
            assert "401" in operation["responses"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


@pytest.mark.parametrize("route, statuses", [
    (("post", "/auth/register"), {"201", "409"}), (("post", "/auth/login"), {"200", "401"}), (("post", "/auth/password"), {"204", "403"}),
    (("post", "/auth/logout"), {"204"}), (("delete", "/auth/sessions/{id}"), {"204", "404"}), (("post", "/documents"), {"201", "409", "415", "411"}),
    (("get", "/documents/{id}"), {"200", "304", "404"}), (("put", "/documents/{id}"), {"200", "404", "409", "412"}),
    (("delete", "/documents/{id}"), {"204", "404", "409", "412"}), (("get", "/readyz"), {"200", "503"}), (("get", "/health"), {"200", "503"}),
])
def test_statuses_of_a_route(document, route, statuses):
    assert statuses <= operations(document)[route]["responses"].keys()


def test_a_write_is_never_304(document):
    for route, operation in operations(document).items():
        assert ("304" in operation["responses"]) == (route == ("get", "/documents/{id}"))


def names(document, route, place):
    return {parameter["name"] for parameter in (resolved(document, parameter) for parameter in operations(document)[route]["parameters"]) if parameter["in"] == place}


def test_header_parameters_stand_where_they_count(document):
    for route in operations(document):
        headers = names(document, route, "header")
        assert "X-Request-ID" in headers
        assert ("Request-Timeout" in headers) == (route not in OWN)
        assert ("Idempotency-Key" in headers) == (route[1].startswith("/documents") and route[0] != "get")
        assert ("If-Match" in headers) == (route in {("put", "/documents/{id}"), ("delete", "/documents/{id}")})
        assert ("If-None-Match" in headers) == (route in {("get", "/documents/{id}"), ("put", "/documents/{id}"), ("delete", "/documents/{id}")})
        assert not headers & {"Authorization", "Accept", "Content-Type", "User-Agent"}  # OpenAPI ignores the first three as parameters


def test_headers_of_successes(document):
    created = operations(document)[("post", "/documents")]["responses"]["201"]["headers"]
    assert {"ETag", "Location"} <= created.keys()
    for status in ("200", "304"):
        assert "ETag" in operations(document)[("get", "/documents/{id}")]["responses"][status]["headers"]


def test_query_parameters_of_the_list(document):
    parameters = {p["name"]: p for p in map(lambda p: resolved(document, p), operations(document)[("get", "/documents")]["parameters"]) if p["in"] == "query"}
    assert parameters.keys() == {"limit", "cursor", "tag", "q"}
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert not any(parameter.get("required") for parameter in parameters.values())


def body(document, route):
    return resolved(document, operations(document)[route]["requestBody"]["content"]["application/json"]["schema"])


def test_requests_have_their_bounds_and_take_nothing_unknown(document):
    create = body(document, ("post", "/documents"))
    assert create["additionalProperties"] is False
    assert create["required"] == ["title", "content"]
    assert create["properties"].keys() == {"title", "content", "tags", "metadata", "language"}
    assert (create["properties"]["title"]["minLength"], create["properties"]["title"]["maxLength"]) == (1, 500)
    assert create["properties"]["tags"]["maxItems"] == 32
    assert create["properties"]["tags"]["items"]["maxLength"] == 64
    assert create["properties"]["metadata"]["type"] == ["object", "null"]  # null is absent, so that an answer may be sent back
    assert create["properties"]["title"]["type"] == "string"
    batch = body(document, ("post", "/documents/batch"))["properties"]["documents"]
    assert (batch["minItems"], batch["maxItems"]) == (1, 1000)
    put = body(document, ("put", "/documents/{id}"))
    assert "id" not in put["properties"] and "if_match" not in put["properties"]
    search = body(document, ("post", "/query"))["properties"]
    assert search["mode"]["enum"] == ["auto", "text", "vector", "hybrid", None] and search["mode"]["default"] == "auto"
    assert search["top_k"] == {"type": ["integer", "null"], "minimum": 1, "maximum": 100, "default": 5}
    assert search["tags"]["type"] == search["document_ids"]["type"] == "array"  # no filter by null
    assert search["document_ids"]["items"] == {"type": "string", "format": "uuid"} and search["document_ids"]["minItems"] == 1


def test_secrets_and_what_the_gateway_fills_in(document):
    log_in = body(document, ("post", "/auth/login"))
    assert log_in["properties"].keys() == {"email", "password"}
    password = log_in["properties"]["password"]
    assert (password["type"], password["format"], password["writeOnly"]) == ("string", "password", True)
    answer = resolved(document, operations(document)[("post", "/auth/login")]["responses"]["200"]["content"]["application/json"]["schema"])
    assert "token" in answer["required"]


def test_replies_say_what_is_always_there(document):
    found = document["components"]["schemas"]
    assert "etag" not in found["Document"]["properties"]
    assert found["DocumentList"]["required"] == ["items", "next_cursor"]
    assert found["DocumentList"]["properties"]["next_cursor"]["type"] == ["string", "null"]
    assert "content" not in found["DocumentSummary"]["properties"]
    assert found["Document"]["properties"]["created_at"] == {"type": "string", "format": "date-time"}
    assert set(found["Health"]["properties"]["checks"]["required"]) == {"gateway", "kafka", "session", "documents", "query", "postgres_primary",
                                                                         "postgres_replicas", "redis"}


def test_the_contract_embeds_the_same_document(quire):
    """What the gateway serves is what stands in the file."""
    import json

    pieces = re.search(r"static const char openapi\[\] =\n(.*?)\n    ;", quire.contract, re.DOTALL).group(1)
    text = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), "".join(line.strip()[1:-1] for line in pieces.splitlines()).replace(r"\"", '"').replace("\\\\", "\\"))
    assert json.loads(text) == quire.openapi
