"""A service is added by a .proto alone: the gateway's own objects stay byte for byte the same, and it is reachable over HTTP."""

import hashlib
import json
import os
import shutil
import subprocess
import threading

import pytest
from confluent_kafka import Consumer, Producer
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from client import Api, problem
from servers.binary import BUILD, SOURCE
from servers.gateway import Gateway
from servers.kafka import topics_of
from servers.waiting import wait_until

# About the build, so one kind of build is enough; and what it builds is dear.
pytestmark = [pytest.mark.build, pytest.mark.timeout(300)]

PROTO = """
syntax = "proto2";
package example;
import "google/api/annotations.proto";
import "quire/options.proto";

service Greeter {
  option (quire.service) = { name: "greeter" lanes: [ { name: "greeter" topic: "example.greeter" } ] };
  rpc Greet(GreetRequest) returns (GreetReply) {
    option (google.api.http) = { post: "/greetings/{language}" body: "*" };
    option (quire.call) = { lane: "greeter" access: PUBLIC status: 201 summary: "Greets." };
  }
}
message GreetRequest {
  optional string language = 1 [(quire.field) = { required: true }];
  optional string name = 2 [(quire.field) = { required: true characters_max: 20 }];
  repeated int64 numbers = 3;
}
message GreetReply {
  required string text = 1;
  optional int64 sum = 2;
}
"""


def objects_of_gateway(build):
    found = {}
    for folder, _, files in os.walk(os.path.join(build, "services/gateway/CMakeFiles/quire_gateway.dir")):
        for file in files:
            if file.endswith(".o"):
                path = os.path.join(folder, file)
                with open(path, "rb") as content:
                    found[path] = hashlib.sha256(content.read()).hexdigest()
    return found


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """(build folder, folder of the .proto): the gateway built without the new service, then with it."""
    folder = tmp_path_factory.mktemp("extension")
    protos, build = folder / "proto", folder / "build"
    (protos / "example").mkdir(parents=True)
    (protos / "example/greeter.proto").write_text(PROTO)
    with open(os.path.join(BUILD, "CMakeCache.txt")) as cache:
        options = [f"-D{line.strip()}" for line in cache if line.startswith(("CMAKE_BUILD_TYPE:", "CMAKE_C_FLAGS", "QUIRE_SANITIZE:", "QUIRE_FAULTS:"))]

    def run(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout[-4000:]

    run("cmake", "-G", "Ninja", "-S", SOURCE, "-B", str(build), *options)
    run("ninja", "-j2", "-C", str(build), "quire-gateway")
    before = objects_of_gateway(build)
    run("cmake", f"-DQUIRE_PROTO_PATHS={SOURCE}/proto;{protos}", str(build))
    run("ninja", "-j2", "-C", str(build), "quire-gateway")
    yield build, protos, before
    shutil.rmtree(folder)


class Greeter(threading.Thread):
    """The whole consumer: what docs/WIRE.md asks for, in Python."""

    def __init__(self, brokers, protos):
        super().__init__(daemon=True)
        include = ["-I" + path for path in (str(protos), f"{SOURCE}/proto", "/usr/lib/python3/dist-packages", "/usr/include")]
        descriptors = protos / "descriptors.pb"
        subprocess.run(["protoc", *include, "--include_imports", f"--descriptor_set_out={descriptors}", "example/greeter.proto"], check=True)
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file:
            pool.Add(file)
        factory = message_factory.MessageFactory(pool)
        self.request, self.reply = (factory.GetPrototype(pool.FindMessageTypeByName(f"example.{name}")) for name in ("GreetRequest", "GreetReply"))
        self.consumer = Consumer({"bootstrap.servers": brokers, "group.id": "example.greeter", "auto.offset.reset": "earliest"})
        self.consumer.subscribe(["example.greeter"])
        self.producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0})
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            message = self.consumer.poll(0.1)
            if message is None or message.error():
                continue
            headers = dict(message.headers())
            if headers["quire-method"] != b"example.Greeter/Greet":
                continue
            asked = self.request.FromString(message.value())
            reply = self.reply(text=f"{asked.language}: hello {asked.name}", **({"sum": sum(asked.numbers)} if asked.numbers else {}))
            self.producer.produce(headers["kafka_replyTopic"].decode(), reply.SerializeToString(), partition=int.from_bytes(headers["kafka_replyPartition"]),
                                  headers={"kafka_correlationId": headers["kafka_correlationId"]})
            self.producer.poll(0)
        self.consumer.close()


@pytest.fixture(scope="module")
def greeting(stack, extended):
    build, protos, _ = extended
    topics = topics_of(os.path.join(SOURCE, "proto/generate.py"), "--proto-path", str(protos))
    assert "example.greeter" in {topic["name"] for topic in topics}
    stack.kafka.create_topics(topics)
    gateway = Gateway("gateway-extended", str(build / "run"), stack.gateway_settings())
    gateway.path = str(build / "services/gateway/quire-gateway")
    greeter = Greeter(stack.kafka.brokers, protos)
    greeter.start()
    gateway.start()
    with Api(gateway.url) as api:
        wait_until(lambda: api.post("/greetings/en", {"name": "x"}).status_code == 201, 15, "the new service answers")
        yield api
    greeter.ending.set()
    greeter.join()
    assert gateway.stop() == 0


def test_the_gateways_own_objects_stay_the_same(extended):
    build, _, before = extended
    assert len(before) > 5
    assert objects_of_gateway(build) == before
    with open(build / "services/gateway/quire-gateway", "rb") as program:
        assert b"example.Greeter/Greet" in program.read()


def test_it_is_reachable_over_http(greeting):
    response = greeting.post("/greetings/fr", {"name": "Zoé", "numbers": [1, 9007199254740993]})
    assert response.status_code == 201
    assert json.loads(response.text, parse_int=str) == {"text": "fr: hello Zoé", "sum": "9007199254740994"}


def test_the_contract_holds_for_it_too(greeting):
    errors = problem(greeting.post("/greetings/fr", {"name": "x" * 21, "other": 1}), 422)["errors"]
    assert sorted(error["field"] for error in errors) == ["name", "other"]
    response = greeting.get("/greetings/fr")
    problem(response, 405)
    assert "POST" in response.headers["Allow"]
    assert "/greetings/{language}" in greeting.get("/openapi.json").json()["paths"]
