"""Messages as JSON schemas, for requests (bounds, nothing unknown) and for replies (what is always there)."""

import json

from .check_fields import INTEGERS, NUMBERS
from .model import FieldProto as F

RANGES = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1), F.TYPE_SINT32: (-(2**31), 2**31 - 1), F.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    F.TYPE_UINT32: (0, 2**32 - 1), F.TYPE_FIXED32: (0, 2**32 - 1), F.TYPE_UINT64: (0, None), F.TYPE_FIXED64: (0, None),
}


def bytes_sentence(option):
    low = option.bytes_min if option.HasField("bytes_min") else None
    high = option.bytes_max if option.HasField("bytes_max") else None
    if low is None and high is None:
        return None
    if low == high:
        return f"Exactly {low} bytes of UTF-8."
    if low is None:
        return f"At most {high} bytes of UTF-8."
    return f"At least {low} bytes of UTF-8." if high is None else f"{low} to {high} bytes of UTF-8."


def text_bounds(option):
    """JSON Schema counts characters: of at most 4 bytes each, at least 1."""
    found = {}
    if option.HasField("characters_min") or option.HasField("bytes_min"):
        found["minLength"] = max(option.characters_min, -(-option.bytes_min // 4))
    highs = [getattr(option, name) for name in ("characters_max", "bytes_max") if option.HasField(name)]
    if highs:
        found["maxLength"] = min(highs)
    return found


def bytes_schema(field):
    if field.option.sealed:
        return {"type": "string", "format": "password", "writeOnly": True, **text_bounds(field.option)}
    if field.format == "UUID":
        return {"type": "string", "format": "uuid"}
    return {"type": "string", "contentEncoding": "base64"}


def text_schema(field):
    if field.format == "JSON_OBJECT":
        return {"type": "object"}
    found = {"type": "string", **text_bounds(field.option)}
    if field.format == "EMAIL":
        found["format"] = "idn-email"
    if field.option.values:
        found["enum"] = list(field.option.values)
    if field.repeated:
        for option, word in (("item_characters_min", "minLength"), ("item_characters_max", "maxLength")):
            if field.option.HasField(option):
                found[word] = getattr(field.option, option)
    return found


def number_schema(field):
    found = {"type": "integer" if field.type in INTEGERS else "number"}
    low, high = RANGES.get(field.type, (None, None))
    if field.option.HasField("number_min"):
        low = max(field.option.number_min, low) if low is not None else field.option.number_min
    if field.option.HasField("number_max"):
        high = min(field.option.number_max, high) if high is not None else field.option.number_max
    found.update({word: bound for word, bound in (("minimum", low), ("maximum", high)) if bound is not None})
    return found


def value_schema(field, message_schema):
    if field.is_message:
        return message_schema(field.message)
    if field.type == F.TYPE_BYTES:
        return bytes_schema(field)
    if field.type == F.TYPE_BOOL:
        return {"type": "boolean"}
    if field.format == "TIME":
        return {"type": "string", "format": "date-time"}
    if field.type in NUMBERS:
        return number_schema(field)
    return text_schema(field)


def default_of(field):
    if field.type == F.TYPE_BOOL:
        return field.default == "true"
    if field.type in INTEGERS:
        return int(field.default)
    return float(field.default) if field.type in NUMBERS else field.default


def may_be_null(field):
    """In a request null stands for absent, but not for a list that must not be empty (services/gateway/encode.c)."""
    return not field.option.required and not (field.repeated and field.option.items_min > 0)


def field_schema(field, message_schema, nullable=False):
    """`message_schema` makes the schema of a field's message."""
    option = field.option
    found = value_schema(field, message_schema)
    if field.repeated:
        found = {"type": "array", "items": found}
        for name, word in (("items_min", "minItems"), ("items_max", "maxItems")):
            if option.HasField(name):
                found[word] = getattr(option, name)
    if option.null_when_absent or nullable:
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
        found = {**found, "type": [found["type"], "null"]} if "type" in found else {"anyOf": [found, {"type": "null"}]}
    if field.default is not None:
        found["default"] = default_of(field)
    if option.HasField("example"):
        found["examples"] = [json.loads(option.example)]
    sentences = [option.about.strip(), bytes_sentence(option) or ""]
    if option.each_on_its_own:
        sentences.append("Each item is judged on its own: a fault inside one is that item's.")
    description = " ".join(sentence if sentence.endswith(".") else sentence + "." for sentence in sentences if sentence)
    return {**found, **({"description": description} if description else {})}


class Components:
    """The schemas that were asked for, by name. A message that is both asked for and answered has one of each kind."""

    def __init__(self):
        self.schemas = {}

    def _add(self, name, schema, otherwise):
        """Under `name`, or `otherwise` where another schema has it."""
        chosen = name if self.schemas.get(name, schema) == schema else otherwise
        assert self.schemas.get(chosen, schema) == schema, chosen
        self.schemas[chosen] = schema
        return {"$ref": f"#/components/schemas/{chosen}"}

    def _request_message(self, message, left_out=()):
        fields = [field for field in message.fields if not field.hidden and field.name not in left_out]
        schema = {"type": "object", "additionalProperties": False,
                  "properties": {field.name: field_schema(field, self._request_message, may_be_null(field)) for field in fields}}
        required = [field.name for field in fields if field.option.required]
        if required:
            schema["required"] = required
        suffix = "Without" + "And".join(sorted(left_out)) if left_out else ""
        return self._add(message.name, schema, message.full_name.replace(".", "_") + "_Request" + suffix)

    def request(self, call):
        return self._request_message(call.input, tuple(call.path_variables))

    def reply(self, message):
        fields = [field for field in message.fields if not field.hidden]
        always = [field.name for field in fields
                  if field.must_be_set or field.repeated or field.option.null_when_absent or field.option.minted_token]
        schema = {"type": "object", "properties": {field.name: field_schema(field, self.reply) for field in fields}}
        if always:
            schema["required"] = always
        return self._add(message.name, schema, message.full_name.replace(".", "_") + "_Reply")
