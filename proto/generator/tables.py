"""contract.c: the tables of services/base/contract.h."""

FORMATS = {name: f"QUIRE_{name}" for name in ("PLAIN", "UUID", "TIME", "JSON_OBJECT", "EMAIL")}
FLAGS = ("required", "internal", "sealed", "minted_token_hash", "minted_token", "gives_account_tag", "client_address", "null_when_absent",
         "each_on_its_own", "faults")
BOUNDS = ("characters_min", "characters_max", "bytes_min", "bytes_max", "items_min", "items_max", "item_characters_min", "item_characters_max")
NUMBERS = ("number_min", "number_max")


def quote(text):
    """A C string literal of the text's UTF-8. Octal escapes: a hexadecimal one would swallow the digits after it."""
    escaped = []
    for byte in text.encode():
        character = chr(byte)
        if character in '"\\':
            escaped.append("\\" + character)
        elif 0x20 <= byte < 0x7F and character != "?":  # no trigraphs
            escaped.append(character)
        else:
            escaped.append(f"\\{byte:03o}")
    return '"' + "".join(escaped) + '"'


def snake(full_name):
    """As protobuf-c names things: each part from CamelCase to lower_case, joined by two underscores."""
    parts = []
    for part in full_name.split("."):
        out, was_upper = "", True
        for character in part:
            if character.isupper() and not was_upper:
                out += "_"
            out += character.lower()
            was_upper = character.isupper()
        parts.append(out)
    return "__".join(parts)


def field_spec(owner, field):
    option, parts = field.option, [f".format = {FORMATS[field.format]}"]
    parts += [f".{flag} = true" for flag in FLAGS if getattr(option, flag)]
    parts += [f".{bound} = {getattr(option, bound)}u" for bound in BOUNDS if option.HasField(bound)]
    for number in NUMBERS:
        if option.HasField(number):
            value = getattr(option, number)
            # INT64_MIN has no literal of its own in C.
            text = "INT64_MIN" if value == -(2**63) else f"INT64_C({value})"
            parts += [f".has_{number} = true", f".{number} = {text}"]
    if option.HasField("header"):
        parts.append(f".header = {quote(option.header)}")
    if option.values:
        parts += [f".values = values_{snake(owner.full_name)}__{field.name}", f".values_count = {len(option.values)}"]
    if field.message:
        parts.append(f".message = &message_{snake(field.message.full_name)}")
    return f"    {{{', '.join(parts)}}}, /* {field.name} */"


def message_tables(messages):
    for message in messages:
        yield f"static const struct quire_message_spec message_{snake(message.full_name)};"
    yield ""
    for message in messages:
        name = snake(message.full_name)
        for field in message.fields:
            if field.option.values:
                texts = ", ".join(quote(value) for value in field.option.values)
                yield f"static const char *const values_{name}__{field.name}[] = {{{texts}}};"
        if message.fields:
            yield f"static const struct quire_field_spec fields_{name}[] = {{"
            yield from (field_spec(message, field) for field in message.fields)
            yield "};"
        fields = f"fields_{name}" if message.fields else "NULL"
        yield f"static const struct quire_message_spec message_{name} = {{&{name}__descriptor, {fields}}};"
        yield ""


def segment(call, literal, variable):
    if literal is not None:
        return f"{{{quote(literal)}, -1}}"
    index = next(i for i, field in enumerate(call.input.fields) if field.name == variable)
    return f"{{NULL, {index}}}"


def call_rows(service, call, segments_name):
    option = call.option
    lane = service.lane_index(option.lane)
    bulk_lane = service.lane_index(option.bulk_lane) if option.HasField("bulk_lane") else lane
    rows = {
        "method": quote(call.method),
        "http_method": quote(call.http_method),
        "path": quote(call.path),
        "segments": segments_name,
        "segments_count": len(call.segments),
        "has_body": str(call.has_body).lower(),
        "lane": lane,
        "bulk_lane": bulk_lane,
        "deadline_ms": option.deadline_ms,
        "access": f"QUIRE_{call.enum('access')}",
        "throttle": f"QUIRE_THROTTLE_{call.enum('throttle')}",
        "write": str(option.write).lower(),
        "idempotency_key": str(option.idempotency_key).lower(),
        "wants_session_note": str(option.wants_session_note).lower(),
        "status": option.status,
        "location": quote(option.location) if option.HasField("location") else "NULL",
        "summary": quote(option.summary),
        "input": f"&message_{snake(call.input.full_name)}",
        "output": f"&message_{snake(call.output.full_name)}",
    }
    yield "    {"
    yield from (f"        .{key} = {value}," for key, value in rows.items())
    yield "    },"


def service_tables(service):
    name = snake(service.full_name)
    for call in service.calls:
        segments = ", ".join(segment(call, *part) for part in call.segments)
        yield f"static const struct quire_path_segment segments_{name}__{call.name}[] = {{{segments}}};"
    yield f"static const struct quire_call calls_{name}[] = {{"
    for call in service.calls:
        yield from call_rows(service, call, f"segments_{name}__{call.name}")
    yield "};"
    lanes = ", ".join(f"{{{quote(lane.name)}, {quote(lane.topic)}, {lane.batch_max}, {lane.workers}, {lane.nice}}}" for lane in service.lanes)
    yield f"static const struct quire_lane lanes_{name}[] = {{{lanes}}};"
    if service.depends_on:
        texts = ", ".join(quote(text) for text in service.depends_on)
        yield f"static const char *const depends_on_{name}[] = {{{texts}}};"
    yield ""


def service_row(service):
    name = snake(service.full_name)
    depends_on = f"depends_on_{name}" if service.depends_on else "NULL"
    return (f"    {{{quote(service.name)}, &{name}__descriptor, calls_{name}, {len(service.calls)}, lanes_{name}, {len(service.lanes)}, "
            f"{depends_on}, {len(service.depends_on)}}},")


def text_literal(text, width=100):
    for start in range(0, len(text), width):
        yield "    " + quote(text[start:start + width])


def render(contract, openapi):
    messages = {}
    for call in contract.calls():
        for message in call.input.reachable() + call.output.reachable():
            messages[message.full_name] = message
    files = sorted({service.file_name for service in contract.services})
    lines = ["/* Made by proto/generate.py of the options in the .proto files. */", '#include "base/contract.h"', ""]
    lines += [f"#include {quote(file.removesuffix('.proto') + '.pb-c.h')}" for file in files]
    lines.append("")
    lines += message_tables(list(messages.values()))
    for service in contract.services:
        lines += service_tables(service)
    lines.append("static const struct quire_contract_service services[] = {")
    lines += [service_row(service) for service in contract.services]
    lines += ["};", "", "static const char openapi[] ="]
    lines += text_literal(openapi)
    lines += ["    ;", "", "const struct quire_contract quire_contract = {",
              "    services, sizeof(services) / sizeof(services[0]), {(const uint8_t *)openapi, sizeof(openapi) - 1}};", ""]
    return "\n".join(lines)
