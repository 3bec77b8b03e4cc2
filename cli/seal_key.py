"""Prints a key file for who opens sealed values: a new key first, then the one given on standard input (if any)."""

import sys

import nacl.public


def main() -> None:
    previous = sys.stdin.readline().split()
    key_id = int(previous[0]) + 1 if previous else 1
    key = nacl.public.PrivateKey.generate()
    print(key_id, bytes(key.public_key).hex(), bytes(key).hex())
    if previous:
        print(*previous)


if __name__ == "__main__":
    main()
