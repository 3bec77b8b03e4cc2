"""What the tests of proto/generate.py share: the generator as a program, and services written for a test."""

import json
import pathlib
import subprocess
import sys

import pytest

GENERATE = pathlib.Path(__file__).resolve().parents[3] / "proto" / "generate.py"


class Generated:
    def __init__(self, done, folder):
        self.failed = done.returncode != 0
        self.errors = done.stderr
        self.topics = [json.loads(line) for line in done.stdout.splitlines()]
        self.contract = (folder / "contract.c").read_text() if not self.failed else None
        self.openapi = json.loads((folder / "openapi.json").read_text()) if not self.failed else None


def run(folder, *proto_paths):
    options = [option for path in proto_paths for option in ("--proto-path", path)]
    done = subprocess.run([sys.executable, "-B", GENERATE, "--topics", "--contract", folder / "contract.c", "--openapi", folder / "openapi.json", *options],
                          capture_output=True, text=True, timeout=60, check=False)
    return Generated(done, folder)


@pytest.fixture(scope="session")
def quire(tmp_path_factory):
    """Of Quire's own .proto files."""
    generated = run(tmp_path_factory.mktemp("quire"))
    assert not generated.failed, generated.errors
    return generated


@pytest.fixture
def with_proto(tmp_path):
    """Runs the generator with one more .proto file, of this text."""

    def generate(text, name="notes.proto"):
        folder = tmp_path / "extra"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        return run(tmp_path, folder)

    return generate


NOTES = """
syntax = "proto2";
package notes;
import "google/api/annotations.proto";
import "quire/options.proto";

service Notes {{
  option (quire.service) = {{ {service} }};
  rpc Write(In) returns (Out) {{
    option (google.api.http) = {{ {http} }};
    option (quire.call) = {{ {call} }};
  }}
  {more_calls}
}}
message In {{
  {request}
}}
message Out {{
  {reply}
}}
{more}
"""


@pytest.fixture
def notes(with_proto):
    """A small service that is right but for the parts that a test gives otherwise."""

    def generate(**parts):
        right = {
            "service": 'name: "notes" lanes: [ { name: "notes" topic: "notes.all" } ] depends_on: [ "redis" ]',
            "http": 'post: "/notes" body: "*"',
            "call": 'lane: "notes"',
            "more_calls": "",
            "request": "optional string text = 1;",
            "reply": "optional string text = 1;",
            "more": "",
        }
        return with_proto(NOTES.format(**{**right, **parts}))

    return generate
