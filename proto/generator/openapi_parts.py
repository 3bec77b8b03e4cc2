"""What is the same for every service: headers, problems, the gateway's own routes."""

SENT_BY_EVERY_CLIENT = {"user-agent", "accept", "host"}  # no parameters: HTTP clients set them by themselves


def reference(kind, name):
    return {"$ref": f"#/components/{kind}/{name}"}


PARAMETERS = {
    "X-Request-ID": {
        "name": "X-Request-ID", "in": "header", "description": "Names the request in every log; a new UUIDv7 when absent or of another form.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "Request-Timeout": {
        "name": "Request-Timeout", "in": "header", "description": "Seconds until the answer is a 504; over 30 is taken as 30.",
        "schema": {"type": "number", "exclusiveMinimum": 0},
    },
    "traceparent": {
        "name": "traceparent", "in": "header", "description": "W3C Trace Context; passed on.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key", "in": "header",
        "description": "The same key and request within 24 hours gets the first answer again and has one effect. A key belongs to the account.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "If-Match": {
        "name": "If-Match", "in": "header", "description": "Only if the resource still has one of these ETags, or `*`; else 412. What is no list of entity tags is a 400.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "name": "If-None-Match", "in": "header", "description": "Only if the resource has none of these ETags, nor is there one for `*`; else 304 of a read, 412 of a write. "
                       "What is no list of entity tags is a 400.",
        "schema": {"type": "string"},
    },
}

HEADERS = {
    "X-Request-ID": {"description": "The request's name in every log.", "required": True,
                     "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"}},
    "X-Process-Time": {"description": "Seconds, as the gateway saw it.", "required": True, "schema": {"type": "number", "minimum": 0}},
    "ETag": {"description": "Strong; for If-Match and If-None-Match.", "required": True, "schema": {"type": "string"}},
    "Location": {"description": "Where the new resource is.", "required": True, "schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": {"description": "Seconds to wait before asking again.", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "RateLimit": {"description": "What is left of the limit (draft-ietf-httpapi-ratelimit-headers).", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The limit (draft-ietf-httpapi-ratelimit-headers).", "schema": {"type": "string"}},
    "Accept": {"description": "What the body may be, where its media type was the fault.", "schema": {"type": "string"}},
    "Accept-Encoding": {"description": "The codings that are taken, where one was the fault.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "Bearer.", "required": True, "schema": {"type": "string"}},
}

COMMON_HEADERS = {name: reference("headers", name) for name in ("X-Request-ID", "X-Process-Time")}

# status: (component's name, sentence)
PROBLEMS = {
    400: ("BadRequest", "Malformed HTTP or JSON. For JSON, `detail` ends with the place: at byte N; for a header field it names the field."),
    401: ("Unauthorized", "No, unknown, expired or revoked token."),
    404: ("NotFound", "There is no such thing, or it is someone else's."),
    406: ("NotAcceptable", "Accept allows none of the media types that this has."),
    408: ("RequestTimeout", "The request did not come in time."),
    411: ("LengthRequired", "A body is needed, with Content-Length or chunked."),
    412: ("PreconditionFailed", "If-Match or If-None-Match does not hold."),
    413: ("ContentTooLarge", "The body is above 16 MiB."),
    414: ("URITooLong", "The request line is above 8 KiB."),
    415: ("UnsupportedMediaType", "The body must be application/json in UTF-8, without a Content-Encoding."),
    417: ("ExpectationFailed", "Only 100-continue can be expected."),
    421: ("MisdirectedRequest", "This host isn't served here."),
    422: ("UnprocessableContent", "Well-formed, but not valid; `errors` names the fields."),
    429: ("TooManyRequests", "A rate limit."),
    431: ("RequestHeaderFieldsTooLarge", "The header section is above 16 KiB or 100 fields."),
    500: ("InternalServerError", "A fault of Quire's."),
    503: ("ServiceUnavailable", "Full, or a part is away; told at once."),
    504: ("GatewayTimeout", "No answer before the deadline. Whether a write happened is unknown: ask again with its Idempotency-Key."),
}
OTHER_HEADERS = {401: ("WWW-Authenticate",), 415: ("Accept", "Accept-Encoding"), 429: ("Retry-After", "RateLimit", "RateLimit-Policy"), 503: ("Retry-After",)}


def problem_response(status, about=None):
    headers = {**COMMON_HEADERS, **{name: reference("headers", name) for name in OTHER_HEADERS.get(status, ())}}
    return {
        "description": about or PROBLEMS[status][1],
        "headers": headers,
        "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}},
    }


def known_parameter(header):
    name = next((name for name in PARAMETERS if name.lower() == header.lower()), None)
    return reference("parameters", name) if name else None


def known_header(header):
    name = next((name for name in HEADERS if name.lower() == header.lower()), None)
    return reference("headers", name) if name else None


def has_header(message, header):
    return any(field.option.header.lower() == header.lower() for field in message.fields if field.option.HasField("header"))


PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The request id."},
        "errors": {
            "type": "array",
            "description": "Of a 422: each field that isn't valid.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string", "description": "Its path, as documents[3].title."}, "message": {"type": "string"}},
            },
        },
    },
}

STATUSES = {"type": "string", "enum": ["healthy", "degraded", "unhealthy"]}


def own_schemas(contract):
    names = ["gateway", "kafka", *(service.name for service in contract.services)]
    names += sorted({name for service in contract.services for name in service.depends_on})
    check = {
        "type": "object",
        "required": ["status", "latency_ms"],
        "properties": {"status": STATUSES, "latency_ms": {"type": ["number", "null"], "minimum": 0}, "detail": {"type": "string"}},
    }
    health = {
        "type": "object",
        "required": ["status", "timestamp", "checks"],
        "properties": {
            "status": STATUSES,
            "timestamp": {"type": "string", "format": "date-time"},
            "limits": {"type": "string", "const": "off", "description": "Only where all rate limits are lifted."},
            "checks": {"type": "object", "required": names, "properties": {name: reference("schemas", "HealthCheck") for name in names}},
        },
    }
    return {"Problem": PROBLEM, "HealthCheck": check, "Health": health}


def own_operation(name, summary, media_type, schema, statuses=()):
    """A GET that the gateway answers by itself: without token, session or limit."""
    responses = {"200": {"description": summary, "headers": COMMON_HEADERS, "content": {media_type: {"schema": schema}}}}
    for status in sorted({400, 406, 408, 413, 414, 417, 421, 422, 431, *statuses}):
        responses[str(status)] = reference("responses", PROBLEMS[status][0])
    return {"get": {"operationId": name, "summary": summary, "tags": ["operations"], "security": [],
                    "parameters": [reference("parameters", "X-Request-ID")], "responses": responses}}


def state(word):
    return {"type": "object", "required": ["status"], "properties": {"status": {"type": "string", "const": word}}}


def own_paths(contract):
    health = own_operation("health", "How each part is; never takes longer than a second.", "application/json", reference("schemas", "Health"))
    health["get"]["responses"]["503"] = {
        "description": "The same, when Quire as a whole is unhealthy.",
        "headers": {**COMMON_HEADERS, "Retry-After": reference("headers", "Retry-After")},
        "content": {"application/json": {"schema": reference("schemas", "Health")},
                    "application/problem+json": {"schema": reference("schemas", "Problem")}},
    }
    return {
        "/livez": own_operation("livez", "The process runs.", "application/json", state("alive")),
        "/readyz": own_operation("readyz", "The gateway can serve; 503 while it starts, drains or has lost Kafka.", "application/json", state("ready"),
                                 (503,)),
        "/health": health,
        "/openapi.json": own_operation("openapi", "This document.", "application/json", {"type": "object"}),
        "/docs": own_operation("docs", "A page to read it and try the calls.", "text/html", {"type": "string"}),
    }
