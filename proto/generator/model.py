"""What the descriptor set says, as Python objects: services, calls, messages, fields, topics. Judges nothing (that is check.py's)."""

import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FieldProto = descriptor_pb2.FieldDescriptorProto
HTTP_METHODS = ("get", "put", "post", "delete", "patch")


class Refused(Exception):
    """The .proto files contradict themselves or ask for what Quire doesn't do. Holds one sentence a fault."""

    def __init__(self, faults):
        super().__init__("\n".join(faults))
        self.faults = list(faults)


class Lane:
    def __init__(self, option):
        self.name = option.name
        self.topic = option.topic
        self.batch_max = option.batch_max
        self.workers = option.workers
        self.nice = option.nice
        self.bulk = False  # some call's bulk_lane


class Field:
    def __init__(self, proto, option):
        self.name = proto.name
        self.number = proto.number
        self.type = proto.type
        self.repeated = proto.label == FieldProto.LABEL_REPEATED
        self.must_be_set = proto.label == FieldProto.LABEL_REQUIRED
        self.default = proto.default_value if proto.HasField("default_value") else None
        self.type_name = proto.type_name.lstrip(".")
        self.option = option
        self.message = None  # of a message field, filled by the contract

    @property
    def is_message(self):
        return self.type == FieldProto.TYPE_MESSAGE

    @property
    def hidden(self):
        """Neither read from a client's JSON nor shown in it: the gateway fills it in or takes it out, or nobody does."""
        o = self.option
        return o.internal or o.faults or o.minted_token_hash or o.client_address or o.HasField("header")

    @property
    def format(self):
        return self.option.DESCRIPTOR.fields_by_name["format"].enum_type.values_by_number[self.option.format].name


class Message:
    def __init__(self, full_name, proto, fields, topic):
        self.full_name = full_name
        self.fields = fields  # sorted by tag, as protobuf-c's descriptor has them
        self.topic = topic    # the topic option, or None
        self.map_entry = proto.options.map_entry
        self.by_name = {f.name: f for f in fields}

    @property
    def name(self):
        return self.full_name.rsplit(".", 1)[-1]

    def reachable(self, shown_only=False):
        """This message and every one in it, each once, in a stable order; shown_only: through fields that clients see."""
        seen, rest = {}, [self]
        while rest:
            message = rest.pop(0)
            if message.full_name not in seen:
                seen[message.full_name] = message
                rest += [f.message for f in message.fields if f.message and not (shown_only and f.hidden)]
        return list(seen.values())


class Call:
    def __init__(self, service, proto, option, bindings, messages):
        self.service = service
        self.name = proto.name
        self.option = option      # None without one
        self.bindings = bindings  # [(HTTP method, path, body, response_body)]
        self.input = messages.get(proto.input_type.lstrip("."))
        self.output = messages.get(proto.output_type.lstrip("."))
        self.input_name, self.output_name = proto.input_type.lstrip("."), proto.output_type.lstrip(".")
        self.streams = proto.client_streaming or proto.server_streaming

    @property
    def method(self):
        return f"{self.service.full_name}/{self.name}"

    @property
    def http_method(self):
        return self.bindings[0][0].upper()

    @property
    def path(self):
        return self.bindings[0][1]

    @property
    def has_body(self):
        return self.bindings[0][2] == "*"

    @property
    def segments(self):
        """[(literal, None) or (None, field name)]"""
        found = []
        for segment in self.path[1:].split("/"):
            variable = re.fullmatch(r"\{([A-Za-z0-9_.=*]+)\}", segment)
            found.append((None, variable.group(1)) if variable else (segment, None))
        return found

    @property
    def path_variables(self):
        return [variable for _, variable in self.segments if variable]

    @property
    def public(self):
        return self.enum("access") == "PUBLIC"

    def enum(self, name):
        return self.option.DESCRIPTOR.fields_by_name[name].enum_type.values_by_number[getattr(self.option, name)].name


class Service:
    def __init__(self, full_name, file_name, option):
        self.full_name = full_name
        self.file_name = file_name
        self.option = option
        self.name = option.name
        self.lanes = [Lane(lane) for lane in option.lanes]
        self.depends_on = list(option.depends_on)
        self.calls = []

    def lane_index(self, name):
        return next((i for i, lane in enumerate(self.lanes) if lane.name == name), None)


class Contract:
    """`files` are FileDescriptorProtos in an order in which each comes after its imports (protoc's --include_imports)."""

    def __init__(self, descriptor_set):
        self.messages, self.services = {}, []
        self.files = self._read(descriptor_set)
        for file in self.files:
            for proto in file.message_type:
                self._add_message(file.package, proto)
        for message in self.messages.values():
            for field in message.fields:
                if field.is_message:
                    field.message = self.messages.get(field.type_name)
        for file in self.files:
            for proto in file.service:
                self._add_service(file, proto)
        for service in self.services:
            for call in service.calls:
                lane = service.lane_index(call.option.bulk_lane) if call.option else None
                if lane is not None and call.option.bulk_lane != call.option.lane:
                    service.lanes[lane].bulk = True

    def _read(self, descriptor_set):
        """Parses the set again with a pool that knows the options in it; without, they would stay unknown fields."""
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
            pool.Add(file)
        factory = message_factory.MessageFactory(pool)

        def extension(name):
            try:
                return pool.FindExtensionByName(name)
            except KeyError:
                raise Refused([f"No file imports the option {name}: a service imports quire/options.proto and google/api/annotations.proto."])

        self._extensions = {name: extension(name) for name in ("quire.service", "quire.call", "quire.field", "quire.topic", "google.api.http")}
        for descriptor in self._extensions.values():
            factory.GetPrototype(descriptor.containing_type)
            if descriptor.message_type:
                factory.GetPrototype(descriptor.message_type)
        self._options = factory.GetPrototype(pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet"))
        return list(self._options.FromString(descriptor_set).file)

    def _option(self, options, name):
        extension = self._extensions[name]
        return options.Extensions[extension] if options.HasExtension(extension) else None

    def _add_message(self, scope, proto):
        full_name = f"{scope}.{proto.name}" if scope else proto.name
        fields = [Field(field, field.options.Extensions[self._extensions["quire.field"]]) for field in proto.field]
        fields.sort(key=lambda field: field.number)
        self.messages[full_name] = Message(full_name, proto, fields, self._option(proto.options, "quire.topic"))
        for nested in proto.nested_type:
            self._add_message(full_name, nested)

    def _add_service(self, file, proto):
        option = self._option(proto.options, "quire.service")
        if option is None:
            return  # a service of some other world that was imported
        service = Service(f"{file.package}.{proto.name}" if file.package else proto.name, file.name, option)
        for method in proto.method:
            rule = self._option(method.options, "google.api.http")
            bindings = []
            for binding in ([rule] + list(rule.additional_bindings)) if rule else []:
                kind = binding.WhichOneof("pattern")
                path = getattr(binding, kind) if kind in HTTP_METHODS else ""
                bindings.append((kind or "", path, binding.body, binding.response_body))
            service.calls.append(Call(service, method, self._option(method.options, "quire.call"), bindings, self.messages))
        self.services.append(service)

    def calls(self):
        return [call for service in self.services for call in service.calls]

    def event_messages(self):
        return [message for message in self.messages.values() if message.topic is not None]
