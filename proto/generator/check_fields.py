"""The part of check.py that looks at messages: whether a field's options fit its type, its place and each other."""

import json
import re

from .model import FieldProto as F

INTEGERS = {F.TYPE_INT32, F.TYPE_INT64, F.TYPE_UINT32, F.TYPE_UINT64, F.TYPE_SINT32, F.TYPE_SINT64, F.TYPE_FIXED32, F.TYPE_FIXED64, F.TYPE_SFIXED32,
            F.TYPE_SFIXED64}
NUMBERS = INTEGERS | {F.TYPE_DOUBLE, F.TYPE_FLOAT}
TEXT, BYTES = {F.TYPE_STRING}, {F.TYPE_BYTES}

FORMAT_TYPES = {"UUID": (BYTES, "bytes"), "TIME": ({F.TYPE_INT64}, "int64"), "JSON_OBJECT": (TEXT, "string"), "EMAIL": (TEXT, "string")}
FLAG_TYPES = {"sealed": (BYTES, "bytes"), "minted_token_hash": (BYTES, "bytes"), "minted_token": (TEXT, "string"), "gives_account_tag": (TEXT, "string"),
              "client_address": (TEXT, "string")}
# A field is filled in or taken out in one way.
ROLES = ("internal", "sealed", "minted_token_hash", "minted_token", "client_address", "header", "faults")
REQUEST_ONLY = ("sealed", "minted_token_hash", "gives_account_tag", "client_address", "each_on_its_own", "faults")
REPLY_ONLY = ("minted_token", "null_when_absent")
# Of the whole message, as the gateway fills them from the request and not from an item of its body.
TOP_ONLY = ("minted_token_hash", "minted_token", "gives_account_tag", "client_address", "header")
# A secret (its bytes would reach a topic), or a field that the gateway writes itself.
FORBIDDEN_REQUEST_HEADERS = {"authorization", "cookie", "proxy-authorization", "idempotency-key"}
FORBIDDEN_REPLY_HEADERS = {"content-type", "content-length", "transfer-encoding", "connection", "date", "location", "x-request-id", "x-process-time",
                           "retry-after", "ratelimit", "ratelimit-policy", "www-authenticate", "allow", "set-cookie"}


def faults(call):
    for whole, side_faults in ((call.input, request_faults), (call.output, reply_faults)):
        shown = whole.reachable(shown_only=True)
        for message in whole.reachable():
            for field in message.fields:
                yield from told(message, field, field_faults(field))
                if message in shown:
                    yield from told(message, field, side_faults(call, message, field))
    for message in (call.input, call.output):
        if contains_itself(message):
            yield f"{message.full_name}: a message that contains itself has no bound on its depth."
        yield from header_faults(message)


def told(message, field, found):
    return [f"{message.full_name}.{field.name}: {fault}" for fault in found]


def set_options(field, names):
    """A flag that says false is as good as none."""
    return [name for name in names if field.option.HasField(name) and getattr(field.option, name)]


def contains_itself(message, above=()):
    return message.full_name in above or any(contains_itself(field.message, (*above, message.full_name)) for field in message.fields if field.message)


def header_faults(message):
    seen = {}
    for field in message.fields:
        if field.option.HasField("header"):
            name = field.option.header.lower()
            if name in seen:
                yield f"{message.full_name}: {seen[name]} and {field.name} are both the header {field.option.header}."
            seen[name] = field.name


def field_faults(field):
    option = field.option
    if field.type == F.TYPE_GROUP or (field.is_message and field.message is None):
        yield "groups, maps and messages of files that aren't given can't be transcoded."
        return
    if field.is_message and field.message.map_entry:
        yield "maps can't be transcoded; a repeated message can."
    if field.format in FORMAT_TYPES and field.type not in FORMAT_TYPES[field.format][0]:
        yield f"format: {field.format} is for {FORMAT_TYPES[field.format][1]} fields."
    for flag, (types, word) in FLAG_TYPES.items():
        if getattr(option, flag) and (field.type not in types or field.repeated):
            yield f"{flag} is for one {word} field."
    roles = set_options(field, ROLES)
    if len(roles) > 1:
        yield f"it can't be {' and '.join(roles)} at once."
    if option.HasField("header"):
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", option.header):
            yield f"{option.header!r} is no header name (RFC 9110 5.1)."
        if field.type not in TEXT or field.repeated:
            yield "a header is one string field."
    yield from bound_faults(field)
    yield from item_faults(field)
    yield from example_faults(field)


def bound_faults(field):
    option = field.option
    applies = {
        "characters": (field.type in TEXT and not field.repeated, "one string"),
        "bytes": (field.type in TEXT | BYTES and not field.repeated, "one string or bytes"),
        "items": (field.repeated, "repeated"),
        "item_characters": (field.repeated and field.type in TEXT, "repeated string"),
        "number": (field.type in NUMBERS, "number"),
    }
    for kind, (fits, word) in applies.items():
        low, high = f"{kind}_min", f"{kind}_max"
        given = [name for name in (low, high) if option.HasField(name)]
        if given and not fits:
            yield f"{' and '.join(given)}: for {word} fields only."
        if len(given) == 2 and getattr(option, low) > getattr(option, high):
            yield f"{low} {getattr(option, low)} is above {high} {getattr(option, high)}."
        if kind != "number" and option.HasField(high) and getattr(option, high) == 0:
            yield f"{high} 0 would mean no bound."
    if option.values and (field.type not in TEXT or field.repeated):
        yield "values: for one string field only."
    if field.default is not None:
        yield from default_faults(field)


def default_faults(field):
    option = field.option
    if option.required:
        yield "it is required, so its default is never used."
    if option.values and field.default not in option.values:
        yield f"its default {field.default!r} is none of its values."
    if field.type in NUMBERS:
        number = float(field.default)
        if (option.HasField("number_min") and number < option.number_min) or (option.HasField("number_max") and number > option.number_max):
            yield f"its default {field.default} isn't within its bounds."


def item_faults(field):
    if field.option.faults and not (field.repeated and field.message and {"field", "message"} <= field.message.by_name.keys()):
        yield "faults is for a repeated quire.FieldFault."
    if field.option.each_on_its_own:
        if not (field.repeated and field.message):
            yield "each_on_its_own is for a repeated message."
        else:
            holders = [inner.name for inner in field.message.fields if inner.option.faults]
            if len(holders) != 1:
                yield f"each_on_its_own needs one field of {field.message.full_name} with faults: true; it has {len(holders)}."


def example_faults(field):
    if field.option.HasField("example"):
        try:
            json.loads(field.option.example)
        except ValueError as error:
            yield f"its example is no JSON: {error}."


def request_faults(call, message, field):
    option = field.option
    for name in set_options(field, REPLY_ONLY):
        yield f"{name} is for replies."
    if message is not call.input:
        for name in set_options(field, TOP_ONLY):
            yield f"{name} is for fields of the request itself, not of a part of it."
    if option.HasField("header") and option.header.lower() in FORBIDDEN_REQUEST_HEADERS:
        yield f"the header {option.header} may not reach a topic."
    if option.required and field.hidden:
        yield "it is required, but no client can give it."
    # protobuf-c takes no message apart that lacks a required field, so the consumer would see a broken message instead of a 422.
    if field.must_be_set and not option.required:
        yield "it is `required` in proto, but a client may leave it out; make it `optional`, or required in the options too."
    if option.sealed and not option.HasField("bytes_max"):
        yield "a sealed field needs bytes_max."


def reply_faults(call, message, field):
    option = field.option
    for name in set_options(field, REQUEST_ONLY):
        yield f"{name} is for requests."
    if message is not call.output:
        for name in set_options(field, TOP_ONLY):
            yield f"{name} is for fields of the reply itself, not of a part of it."
    if option.HasField("header") and option.header.lower() in FORBIDDEN_REPLY_HEADERS:
        yield f"the gateway writes the header {option.header} itself."
    if option.minted_token and field.must_be_set:
        yield "a minted token is put in by the gateway; make the field `optional`."
    if option.null_when_absent and (field.must_be_set or field.repeated):
        yield "null_when_absent is for optional fields."
