"""openapi.json: docs/API.md for machines (OpenAPI 3.1). Every call of the contract and the gateway's own routes."""

from . import openapi_parts as parts
from . import openapi_schemas as schemas

DESCRIPTION = (
    "Keeps people's documents and finds the passages that answer a question. HEAD works wherever GET does; OPTIONS answers 204 with Allow; a path "
    "that exists answers 405 with Allow to other methods. Unknown or repeated query parameters are a 422, empty ones count as absent. Bodies are JSON in "
    "UTF-8 of at most 16 MiB; unknown members are a 422, duplicate ones a 400."
)


def field_parameter(place, name, field, **more):
    schema = schemas.field_schema(field, None)  # a single plain value: check.py sees to it
    if "description" in schema:
        more["description"] = schema.pop("description")
    return {"name": name, "in": place, "schema": schema, **more}


def call_parameters(call):
    """Path and query from the fields, then the headers, common ones by reference."""
    found = []
    for field in call.input.fields:
        header = field.option.header if field.option.HasField("header") else None
        if field.name in call.path_variables:
            found.append(field_parameter("path", field.name, field, required=True))
        elif header and parts.known_parameter(header):
            found.append(parts.known_parameter(header))
        elif header and header.lower() not in parts.SENT_BY_EVERY_CLIENT:
            found.append(field_parameter("header", header, field))
        elif not call.has_body and not field.hidden:
            found.append(field_parameter("query", field.name, field, **({"required": True} if field.option.required else {})))
    if call.option.idempotency_key:
        found.append(parts.reference("parameters", "Idempotency-Key"))
    return found + [parts.reference("parameters", name) for name in ("X-Request-ID", "Request-Timeout", "traceparent")]


def refusal_statuses(call):
    """{status: a sentence of its own, or None for the shared response}: every failure that the call can answer with."""
    statuses = dict.fromkeys([400, 406, 408, 413, 414, 417, 421, 422, 429, 431, 500, 503, 504])
    if call.option.status == 204:
        del statuses[406]  # no body, nothing to be acceptable
    if not call.public:
        statuses[401] = None
    if call.path_variables:
        statuses[404] = None
    if call.has_body:
        statuses.update(dict.fromkeys([411, 415]))
    if call.option.idempotency_key:
        statuses[409] = "The Idempotency-Key was used before with another request."
    if parts.has_header(call.input, "If-Match") or (call.option.write and parts.has_header(call.input, "If-None-Match")):
        statuses[412] = None
    for refusal in call.option.refusals:
        before = statuses.get(refusal.status)
        statuses[refusal.status] = f"{refusal.about} {before}" if before else refusal.about
    return statuses


def success(call, components):
    headers = dict(parts.COMMON_HEADERS)
    for field in call.output.fields:
        if field.option.HasField("header"):
            headers[field.option.header] = parts.known_header(field.option.header) or {"schema": schemas.field_schema(field, None)}
    if call.option.HasField("location"):
        headers["Location"] = parts.reference("headers", "Location")
    response = {"description": call.option.summary or "Success.", "headers": headers}
    if call.option.status != 204:
        response["content"] = {"application/json": {"schema": components.reply(call.output)}}
    return response


def responses(call, components):
    found = {str(call.option.status): success(call, components)}
    if parts.has_header(call.input, "If-None-Match") and not call.option.write:
        headers = {name: value for name, value in found[str(call.option.status)]["headers"].items() if name != "Location"}
        found["304"] = {"description": "If-None-Match names what the caller has already.", "headers": headers}
    for status, about in sorted(refusal_statuses(call).items()):
        found[str(status)] = parts.problem_response(status, about) if about else parts.reference("responses", parts.PROBLEMS[status][0])
    return found


def operation(call, components):
    found = {
        "operationId": call.service.full_name.rsplit(".", 1)[-1] + call.name,
        "summary": call.option.summary,
        "tags": [call.service.name],
        "security": [] if call.public else [{"bearer": []}],
        "parameters": call_parameters(call),
    }
    if call.has_body:
        schema = components.request(call)
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    found["responses"] = responses(call, components)
    return found


def document(contract):
    components = schemas.Components()
    paths = {}
    for call in contract.calls():
        paths.setdefault(call.path, {})[call.http_method.lower()] = operation(call, components)
    paths.update(parts.own_paths(contract))
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Quire", "version": "1.0.0", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": service.name} for service in contract.services] + [{"name": "operations"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "The token that logging in answered."}},
            "parameters": parts.PARAMETERS,
            "headers": parts.HEADERS,
            "responses": {name: parts.problem_response(status) for status, (name, _) in parts.PROBLEMS.items()},
            "schemas": {**parts.own_schemas(contract), **components.schemas},
        },
    }
