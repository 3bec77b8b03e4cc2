"""The running stack against its own openapi.json, by schemathesis (PyPI): requests that the contract allows and such that break it in one place, each
of whose answers must be one that the contract names for that operation, in its form. QUIRE_CONTRACT_EXAMPLES makes more of them, by hand."""

import json
import os
import shutil
import subprocess

import pytest

from client import Account

PROGRAM = shutil.which("schemathesis", path="/opt/schemathesis/bin:" + os.environ["PATH"])
CONFIG = os.path.join(os.path.dirname(__file__), "schemathesis.toml")
EXAMPLES = os.environ.get("QUIRE_CONTRACT_EXAMPLES", "5")
BOUNDS = {"maxLength": 128, "maxItems": 4}

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="schemathesis is not there: the toolchain image has it (compose/Dockerfile)")


def shortened(value):
    """The contract with smaller bounds; its own are test_limits.py's and test_json_rules.py's. To make texts of 15 MiB and lists of 1000 takes minutes."""
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == "idn-email":  # what hypothesis knows of domain names takes it seconds
        return {"type": "string", "pattern": "^[a-z]{1,16}@[a-z]{1,8}[.]example$"}
    return {name: min(inner, BOUNDS[name]) if name in BOUNDS else shortened(inner) for name, inner in value.items()}


def contract_of(gateway):
    contract = shortened(Account.open(gateway.url).get("/openapi.json").json())
    contract["components"]["parameters"]["Request-Timeout"]["schema"] = {"type": "integer", "minimum": 5, "maximum": 30}  # less is a 504 and shows nothing
    return contract


@pytest.mark.parametrize("logged_in", [True, False], ids=["logged in", "not logged in"])
def test_no_answer_that_the_contract_does_not_name(stack, tmp_path, logged_in):
    contract = tmp_path / "openapi.json"
    contract.write_text(json.dumps(contract_of(stack.gateway)))
    # Without a log-out: what came after it would be a 401.
    options = ["--header", f"Authorization: Bearer {Account.open(stack.gateway.url).token}", "--exclude-path", "/auth/logout"] if logged_in else []
    done = subprocess.run([PROGRAM, "--config-file", CONFIG, "run", contract, "--url", stack.gateway.url, "--seed", "1", "--max-examples", EXAMPLES, *options],
                          cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
