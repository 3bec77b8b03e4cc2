"""Packets that vanish: nftables on this container's own loopback."""

import subprocess


def nft(rules):
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)


class Firewall:
    """Rules of one table, gone at the end of the `with`."""

    def __init__(self, table):
        self.table = table

    def __enter__(self):
        nft(f"add table inet {self.table}\nadd chain inet {self.table} input {{ type filter hook input priority 0 ; }}\n")
        return self

    def __exit__(self, *_):
        nft(f"delete table inet {self.table}\n")

    def drop(self, from_port, to_port):
        """What comes from one TCP port to another arrives no more."""
        nft(f"add rule inet {self.table} input tcp sport {from_port} tcp dport {to_port} drop\n")
