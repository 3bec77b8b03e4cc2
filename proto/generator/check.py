"""Refuses options that contradict each other or that the gateway and runtime/ can't do, each with a sentence that says what to change."""

import re

from . import check_fields, tables, topics

CHECKS = {"postgres_primary", "postgres_replicas", "redis"}
OWN_CHECKS = {"gateway", "kafka"}
OWN_PATHS = {"/livez", "/readyz", "/health", "/openapi.json", "/docs", "/docs.css", "/docs.js", "/metrics"}
STATUSES = (200, 201, 202, 204)
DEADLINE_MS_MAX = 30_000
# protobuf-c mends fields that are called so, but not rpcs.
C_KEYWORDS = set("auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short "
                 "signed sizeof static struct switch typedef union unsigned void volatile while".split())


def twice(values):
    """Those of the values that stand there more than once, each once."""
    values = list(values)
    return sorted({value for value in values if values.count(value) > 1})


def check(contract):
    """All faults of the contract, empty when there is none."""
    faults = []
    for service in contract.services:
        faults += [f"{service.file_name}: {service.full_name}: {fault}" for fault in service_faults(service)]
        for call in service.calls:
            faults += [f"{service.file_name}: {call.method}: {fault}" for fault in call_faults(call)]
    faults += contract_faults(contract)
    return list(dict.fromkeys(faults))  # a message that two calls share is told once


def contract_faults(contract):
    """What only shows across services."""
    for name in twice(service.name for service in contract.services):
        both = " and ".join(service.full_name for service in contract.services if service.name == name)
        yield f"{both} are both called {name}: /health and the logs could not tell them apart."
    topic_users = [(lane.topic, service.full_name) for service in contract.services for lane in service.lanes]
    topic_users += [(message.topic.name, message.full_name) for message in contract.event_messages()]
    for name in twice(name for name, _ in topic_users):
        users = " and ".join(user for used, user in topic_users if used == name)
        yield f"the topic {name} is used twice, by {users}: each lane and each kind of event has its own."
    for name, user in topic_users:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,240}", name) or name.endswith("-dlt") or name in (topics.REPLIES, topics.BULK_REPLIES):
            yield f"{user}: {name!r} can't be a topic here: letters, digits, '.', '_' and '-', not the replies' topics and not ending in -dlt."
    for message in contract.event_messages():
        if not 1 <= message.topic.partitions <= 1000:
            yield f"{message.full_name}: a topic has 1 to 1000 partitions."
    routes = {}
    for call in contract.calls():
        if call.bindings and call.path:
            shape = (call.http_method, re.sub(r"\{[^}]*\}", "{}", call.path))
            if shape in routes:
                yield f"{call.http_method} {call.path} leads to both {routes[shape]} and {call.method}."
            routes.setdefault(shape, call.method)


def service_faults(service):
    if not re.fullmatch(r"[a-z][a-z0-9_]*", service.name):
        yield f"its name {service.name!r} must be lower-case letters, digits and '_', as it stands in /health and metrics."
    if service.name in CHECKS | OWN_CHECKS:
        yield f"its name {service.name!r} is already a check of /health."
    if not service.calls:
        yield "it has no rpc."
    if not service.lanes:
        yield "it has no lane, so no topic that requests could go to."
    for name in twice(lane.name for lane in service.lanes):
        yield f"two lanes are called {name!r}."
    for lane in service.lanes:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", lane.name):
            yield f"the lane's name {lane.name!r} must be lower-case letters, digits and '_', as it makes the setting QUIRE_<LANE>_WORKERS."
        if lane.batch_max < 1 or lane.workers < 1:
            yield f"lane {lane.name!r}: batch_max and workers are at least 1."
        if lane.nice > 19:
            yield f"lane {lane.name!r}: nice is at most 19."
    for name in service.depends_on:
        if name not in CHECKS:
            yield f"depends_on {name!r} is no check that runtime/ can make; it knows {', '.join(sorted(CHECKS))}."
    for name in twice(service.depends_on):
        yield f"depends_on names {name!r} twice."


def call_faults(call):
    """What stands in the rpc's own options first: without them the rest would only be noise."""
    faults = list(binding_faults(call))
    if call.option is None:
        faults.append("it has no (quire.call) option.")
    if faults:
        return faults
    return [*route_faults(call), *lane_faults(call), *answer_faults(call), *key_faults(call), *token_faults(call), *check_fields.faults(call)]


def binding_faults(call):
    if tables.snake(call.name) in C_KEYWORDS:
        yield "protobuf-c makes a member of its name, which is a keyword of C."
    if call.streams:
        yield "streams can't be had over a request and its reply."
    if call.input is None or call.output is None:
        yield "its input or output isn't among the files given."
    if not call.bindings:
        yield "it has no (google.api.http) option, so no route."
        return
    if len(call.bindings) > 1:
        yield "additional_bindings aren't supported: one route an rpc."
    kind, path, body, response_body = call.bindings[0]
    if kind not in ("get", "put", "post", "delete", "patch"):
        yield f"the binding {kind or 'without a pattern'!r} isn't supported: get, put, post, delete or patch."
    if not path.startswith("/") or not all(re.fullmatch(r"[A-Za-z0-9._~-]+|\{[A-Za-z0-9_]+\}", part) for part in path[1:].split("/")):
        yield f"the path {path!r} must be /-separated plain segments, each a literal or one {{field}}."
    if body not in ("", "*"):
        yield f"body: {body!r} isn't supported: \"*\" (the whole message) or none."
    if body and kind in ("get", "delete"):
        yield f"a {kind.upper()} has no body."
    if response_body:
        yield "response_body isn't supported."


def route_faults(call):
    if call.path in OWN_PATHS:
        yield f"{call.path} is the gateway's own."
    for name in twice(call.path_variables):
        yield f"the path names {{{name}}} twice."
    for name in call.path_variables:
        field = call.input.by_name.get(name)
        if field is None:
            yield f"the path variable {{{name}}} is no field of {call.input.full_name}."
        elif field.repeated or field.is_message or field.hidden or field.option.sealed:
            yield f"the path variable {{{name}}} must be one plain value that clients may give."
    if not call.has_body:
        for field in call.input.fields:
            if field.name not in call.path_variables and not field.hidden and (field.repeated or field.is_message or field.option.sealed):
                yield f"{field.name} would come from the query string, which holds single plain values only."


def lane_faults(call):
    option = call.option
    if call.service.lane_index(option.lane) is None:
        yield f"the lane {option.lane!r} isn't one of {', '.join(lane.name for lane in call.service.lanes) or 'none'}."
    if option.HasField("bulk_lane"):
        if call.service.lane_index(option.bulk_lane) is None:
            yield f"the bulk_lane {option.bulk_lane!r} isn't one of {', '.join(lane.name for lane in call.service.lanes) or 'none'}."
        if option.bulk_lane == option.lane:
            yield "bulk_lane is the lane itself; leave it out."
        if not call.has_body:
            yield "a bulk_lane is for large bodies, and the call has none."
    if not 1 <= option.deadline_ms <= DEADLINE_MS_MAX:
        yield f"deadline_ms {option.deadline_ms} isn't within 1..{DEADLINE_MS_MAX}."


def answer_faults(call):
    option = call.option
    if option.status not in STATUSES:
        yield f"status {option.status} is none of {', '.join(map(str, STATUSES))}."
    shown = [field.name for field in call.output.fields if not field.hidden]
    if option.status == 204 and shown:
        yield f"a 204 has no body, but {call.output.full_name} has {', '.join(shown)}."
    headers = [field.name for field in call.output.fields if field.option.HasField("header")]
    if len(headers) > 1:
        yield f"a reply has at most one header field, and {call.output.full_name} has {' and '.join(headers)}."
    if option.HasField("location"):
        if not option.location.startswith("/"):
            yield f"location {option.location!r} must be a path."
        for name in re.findall(r"\{([^}]*)\}", option.location):
            field = call.output.by_name.get(name)
            if field is None or field.repeated or field.is_message or field.hidden:
                yield f"location's {{{name}}} is no plain field of {call.output.full_name}."
    for refusal in option.refusals:
        if not 400 <= refusal.status <= 599:
            yield f"refusals: {refusal.status} isn't a status of 4xx or 5xx."
    for status in twice(refusal.status for refusal in option.refusals):
        yield f"refusals: {status} stands there twice."


def key_faults(call):
    option = call.option
    if call.http_method == "GET" and option.write:
        yield "a GET may be sent again by anyone and must not write."
    if option.idempotency_key and not option.write:
        yield "idempotency_key is for calls with write: true."
    if option.idempotency_key and call.public:
        yield "idempotency_key needs a session: a key belongs to an account."
    secrets = [field.name for message in call.input.reachable() for field in message.fields if field.option.sealed]
    if option.idempotency_key and secrets:
        yield f"idempotency_key would keep a fingerprint of a body with a secret ({', '.join(secrets)})."


def token_faults(call):
    with_flag = {flag: [field for field in message.fields if getattr(field.option, flag)] for message, flag in
                 ((call.input, "minted_token_hash"), (call.input, "gives_account_tag"), (call.input, "client_address"), (call.output, "minted_token"))}
    for flag, fields in with_flag.items():
        if len(fields) > 1:
            yield f"{' and '.join(field.name for field in fields)} are both {flag}; there is one."
    has = {flag: bool(fields) for flag, fields in with_flag.items()}
    if has["minted_token_hash"] != has["minted_token"]:
        yield "a minted token needs both a minted_token_hash in the request and a minted_token in the reply."
    if has["minted_token_hash"] and not has["gives_account_tag"]:
        yield "a minted token needs a field of the request that gives_account_tag."
    if call.enum("throttle") == "LOG_IN" and call.public and not has["gives_account_tag"]:
        yield "throttle: LOG_IN counts by account; on a public call a field of the request must give it (gives_account_tag)."
    if call.option.wants_session_note and call.public:
        yield "wants_session_note needs a session, and a public call has none."
    if call.enum("throttle") == "REGISTRATION" and not call.public:
        yield "throttle: REGISTRATION is for public calls."
