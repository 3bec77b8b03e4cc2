"""The passages that answer a question, best first."""

import argparse
import json
import re
import sys
import textwrap

import httpx

from cli import client

BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire ask", description=__doc__)
    parser.add_argument("question")
    parser.add_argument("--top", type=int, default=5, help="passages, 1..100 (5)")
    parser.add_argument("--tag", action="append", help="only documents with this tag; several mean all of them")
    parser.add_argument("--json", action="store_true", help="the server's answer as it came")
    return parser.parse_args()


def source_of(http: httpx.Client, document_id: str, seen: dict[str, str]) -> str:
    if document_id not in seen:
        answer = http.get(f"/documents/{document_id}")
        seen[document_id] = answer.json()["metadata"].get("source", "") if answer.is_success else ""
    return seen[document_id]


def show(text: str) -> str:
    wrapped = textwrap.fill(" ".join(text.split()), width=96, initial_indent="   ", subsequent_indent="   ")
    return re.sub(r"\*\*(.+?)\*\*", rf"{BOLD}\1{PLAIN}" if BOLD else r"**\1**", wrapped, flags=re.DOTALL)


def main() -> None:
    arguments = parse()
    body = {"query": arguments.question, "top_k": arguments.top}
    if arguments.tag:
        body["tags"] = arguments.tag
    with client.open_client() as http:
        answer = http.post("/query", json=body)
        if not answer.is_success:
            sys.exit(client.problem(answer))
        if arguments.json:
            print(json.dumps(answer.json(), ensure_ascii=False))
            return
        found, seen = answer.json(), {}
        for number, result in enumerate(found["results"], 1):
            source = source_of(http, result["document_id"], seen)
            print(f"{BOLD}{number}. {result['title']}{PLAIN}  {DIM}{result['score']:.3f}  {source}#{result['chunk_index']}{PLAIN}")
            print(show(" ... ".join(result.get("highlights") or [result["text"][:400]])), end="\n\n")
    if not found["results"]:
        print("Nothing was found.")
    print(f"{DIM}{len(found['results'])} passages, {found['took_ms']:.1f} ms, request {answer.headers['x-request-id']}{PLAIN}")


if __name__ == "__main__":
    main()
