"""The passages that answer a question, best first: title, score, where it comes from, and the words that were found."""

import argparse
import concurrent.futures
import json
import re
import sys
import textwrap

import httpx

from cli import client, terminal

_READERS = 4
_TOP_MAX = 100
_LINE_CHARACTERS_MAX = 100
_PASSAGE_CHARACTERS = 400  # of one without highlights
# The server puts found words between two stars; a document's own stars around several words are no mark.
_FOUND = re.compile(r"\*\*([^\s*]+)\*\*")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire ask", description=__doc__)
    parser.add_argument("question", nargs="+")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="passages, 1..100 (5)")
    parser.add_argument("--tag", action="append", help="only documents with this tag, as a folder's name; several mean all of them")
    parser.add_argument("--json", action="store_true", help="the server's answer, with the source of each passage and the request_id, for pipes")
    arguments = parser.parse_args()
    if not " ".join(arguments.question).strip():
        parser.error("the question is empty")
    if not 1 <= arguments.top <= _TOP_MAX:
        parser.error(f"--top is 1..{_TOP_MAX}")
    if not all(arguments.tag or ["none"]):
        parser.error("a --tag is empty")
    return arguments


def sources_of(http: httpx.Client, documents: set[str]) -> dict[str, str]:
    """The `source` in each document's metadata; '' where there is none, or the document went away meanwhile."""
    def source(document: str) -> str:
        try:
            answer = http.get(f"/documents/{document}")
            found = answer.json()["metadata"].get("source") if answer.is_success else None
        except (httpx.TransportError, ValueError):
            found = None
        return found if isinstance(found, str) else ""

    with concurrent.futures.ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(documents, pool.map(source, documents)))


def passage(result: dict, style: terminal.Style) -> str:
    """Wrapped and indented, the found words bold; without colour the stars stay."""
    pieces = result.get("highlights") or [result["text"][:_PASSAGE_CHARACTERS]]
    text = " ".join(terminal.harmless(" ... ".join(pieces)).split())
    lines = textwrap.fill(text, width=min(terminal.width(), _LINE_CHARACTERS_MAX) - 1, initial_indent="   ", subsequent_indent="   ")
    return _FOUND.sub(rf"{style.bold}\1{style.plain}", lines) if style.bold else lines


def show(found: dict, request_id: str, style: terminal.Style) -> None:
    for number, result in enumerate(found["results"], 1):
        origin = terminal.harmless_line(f"{result['source'] or result['document_id']}#{result['chunk_index']}")
        print(f"{style.bold}{number}. {terminal.harmless_line(result['title'])}{style.plain}  {style.dim}{result['score']:.3f}  {origin}{style.plain}")
        print(passage(result, style), end="\n\n")
    what = terminal.count_text(len(found["results"]), "passage") if found["results"] else "Nothing was found"
    print(f"{style.dim}{what}, {found['took_ms']:.1f} ms, request {request_id}{style.plain}")


def main() -> None:
    arguments = parse()
    body = {"query": " ".join(arguments.question), "top_k": arguments.top} | ({"tags": arguments.tag} if arguments.tag else {})
    with client.open_client(_READERS) as http:
        try:
            answer = http.post("/query", json=body)
        except httpx.HTTPError as error:
            terminal.end(client.no_answer(error))
        if not answer.is_success:
            terminal.end(client.problem(answer) + (" Run ./quire login." if answer.status_code == 401 else ""))
        found, request_id = answer.json(), terminal.harmless_line(answer.headers.get("x-request-id", "unknown"))
        sources = sources_of(http, {result["document_id"] for result in found["results"]})
    for result in found["results"]:
        result["source"] = sources[result["document_id"]]
    if arguments.json:
        print(terminal.harmless_json(json.dumps(found | {"request_id": request_id}, ensure_ascii=False)))
    else:
        show(found, request_id, terminal.Style(sys.stdout))


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # head has read enough
        sys.stderr.close()
    except KeyboardInterrupt:
        terminal.end("stopped.", 130)
