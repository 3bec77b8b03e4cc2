#!/usr/bin/env python3
"""Makes of the .proto files and their options what the rest is built from:

    --contract FILE   the tables of services/base/contract.h, as C
    --openapi FILE    the HTTP contract as OpenAPI 3.1
    --topics          on standard output, one JSON line a Kafka topic: name, partitions, config

The build gives it a descriptor set (protoc --include_imports --descriptor_set_out); without one it asks protoc itself, for this folder and
each --proto-path."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from generator import check, model, openapi, tables, topics

HERE = pathlib.Path(__file__).resolve().parent
SYSTEM_FOLDERS = ("/usr/include", "/usr/lib/python3/dist-packages")


def descriptors(folders):
    """The descriptor set of every .proto in the folders. protoc says itself what is wrong with a file."""
    files = sorted({path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob("*.proto")})
    includes = [f"-I{folder}" for folder in [*folders, *SYSTEM_FOLDERS]]
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch, "descriptors.pb")
        done = subprocess.run(["protoc", *includes, "--include_imports", f"--descriptor_set_out={out}", *files], check=False)
        if done.returncode != 0:
            raise model.Refused(["protoc refuses the files, see above."])
        return out.read_bytes()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--descriptors", type=pathlib.Path, metavar="FILE", help="a descriptor set with imports")
    parser.add_argument("--proto-path", type=pathlib.Path, action="append", default=[], metavar="DIR", help="a further folder of .proto files")
    parser.add_argument("--contract", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--openapi", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--topics", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        folders = list(dict.fromkeys([HERE, *(folder.resolve() for folder in options.proto_path)]))
        contract = model.Contract(options.descriptors.read_bytes() if options.descriptors else descriptors(folders))
        faults = check.check(contract)
        if faults:
            raise model.Refused(faults)
    except model.Refused as refused:
        for fault in refused.faults:
            print(f"generate.py: {fault}", file=sys.stderr)
        return 1
    document = openapi.document(contract)
    if options.contract:
        options.contract.write_text(tables.render(contract, json.dumps(document, separators=(",", ":"))))
    if options.openapi:
        options.openapi.write_text(json.dumps(document, indent=2) + "\n")
    if options.topics:
        sys.stdout.write(topics.lines(contract))
    return 0


if __name__ == "__main__":
    sys.exit(main())
