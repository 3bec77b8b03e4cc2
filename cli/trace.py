"""One request as a timeline over every process that it passed, or the slowest requests. Reads log lines from standard input or a folder."""

import argparse
import json
import os
import pathlib
import re
import sys
import time

from cli import terminal
from cli.tracing import lines, slow, story, text

SHOWN_MAX = 10
_UNITS = {"s": 1, "m": 60, "h": 3600}


def request_id(word: str) -> str:
    if not lines.REQUEST_ID.fullmatch(word):
        raise argparse.ArgumentTypeError("a request id is 1 to 128 characters of A-Z a-z 0-9 . _ : -")
    return word


def duration(word: str) -> int:
    """Seconds."""
    found = re.fullmatch(r"([0-9]{1,9})([smh])", word)
    if not found:
        raise argparse.ArgumentTypeError("a number and s, m or h, as 5m")
    return int(found[1]) * _UNITS[found[2]]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire trace", description=__doc__)
    parser.add_argument("request_ids", nargs="*", type=request_id, metavar="REQUEST_ID", help="as X-Request-ID of the answer says")
    parser.add_argument("--also", action="append", default=[], type=request_id, help=argparse.SUPPRESS)  # shown if it has lines
    parser.add_argument("--slow", action="store_true", help="the slowest requests instead of one")
    parser.add_argument("--since", type=duration, metavar="5m", help="only lines since so long ago")
    parser.add_argument("--top", type=int, default=20, help="with --slow: how many (20)")
    parser.add_argument("--logs", type=pathlib.Path, metavar="FOLDER", help="take the lines from *.log and *.jsonl files in this folder")
    parser.add_argument("--json", action="store_true", help="an array, for pipes")
    arguments = parser.parse_args()
    if arguments.slow == bool(arguments.request_ids):
        parser.error("give a request id or --slow, not both" if arguments.slow else "give a request id, or --slow")
    if arguments.top < 1:
        parser.error("--top is at least 1")
    return arguments


def unknown(request_ids: list[str]) -> str:
    return f"""No log line names the request {' '.join(request_ids)}.
It may be that
  - no request had this id: ids are told by the X-Request-ID of each answer, and case matters;
  - it went well, was quick, and was not sampled: QUIRE_LOG_REQUEST_SAMPLE above 1 leaves such ones out;
  - its lines are gone: each container keeps its latest 256 MB, and none when it is made anew (./quire up after a change, ./quire down);
  - it was answered a moment ago: lines take a second to arrive. Ask again.
docs/TRACING.md tells more."""


def told(requests: list[story.Request], more: bool, style: text.Style) -> str:
    parts = []
    for number, request in enumerate(requests[-SHOWN_MAX:], max(1, len(requests) - SHOWN_MAX + 1)):
        parts.append((f"Request {number} of {len(requests)} with this id\n" if len(requests) > 1 else "") + text.render(request, style))
    if len(requests) > SHOWN_MAX:
        parts.append(f"{len(requests) - SHOWN_MAX} earlier ones had this id too; --json shows all.")
    if more:
        parts.append(f"There are more than {lines.LINES_MAX} lines with this id: only so many were looked at.")
    return "\n\n".join(parts)


def main() -> None:
    arguments = parse()
    sys.stdin.reconfigure(errors="replace")
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    # In a container whose input is a pipe there is no terminal to ask: the caller says whether its own output is one.
    colour = terminal.has_colour(sys.stdout) or (bool(os.environ.get("QUIRE_TTY")) and not os.environ.get("NO_COLOR"))
    on_terminal = sys.stdout.isatty() or bool(os.environ.get("QUIRE_TTY"))
    style = text.Style(terminal.width(), colour, unicode, cuts=on_terminal)
    if arguments.logs is not None and not arguments.logs.is_dir():
        terminal.end(f"{arguments.logs} is no folder.")
    source = lines.from_folder(arguments.logs) if arguments.logs is not None else lines.from_stream(sys.stdin)
    since_us = int((time.time() - arguments.since) * 1e6) if arguments.since is not None else 0
    more, missed = False, []
    if arguments.slow:
        requests = slow.slowest(source, arguments.top, since_us)
    else:
        wanted = dict.fromkeys(arguments.request_ids + arguments.also)
        found, more = lines.of_requests(source, set(wanted), since_us)
        of_id = {one: story.requests_of([line for line in found if line.fields["request_id"] == one]) for one in wanted}
        requests = [request for of_one in of_id.values() for request in of_one]
        missed = [one for one in wanted if not of_id[one] and one not in arguments.also]
        if not requests:
            sys.exit(unknown(missed))
    if arguments.json:
        print(json.dumps([text.as_json(request) for request in requests], indent=2))
    elif arguments.slow:
        print(slow.render(requests, style) if requests else "No request has a line in that time.")
    else:
        print(told(requests, more, style))
    if missed:
        print(f"\n{unknown(missed)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
