"""The ways between processes, made worse: packets that are lost, by nftables on this container's own loopback; time, by the relay."""

import os
import subprocess
import sys

from servers.firewall import nft
from servers.ports import free_port

_TABLE = "quire_chaos"
_RELAY = os.path.join(os.path.dirname(__file__), "relay.py")


class Network:
    """Routes through the relay, one for each hop that can be worsened."""

    def __init__(self):
        self._routes = {}  # listening port -> target port
        self._process = None

    def route(self, target_port):
        """A port that leads to target_port. Before start()."""
        port = free_port()
        self._routes[port] = target_port
        return port

    def start(self):
        self._process = subprocess.Popen([sys.executable, _RELAY, *(f"{port}:{target}" for port, target in self._routes.items())],
                                         stdin=subprocess.PIPE, text=True)

    def stop(self):
        self.heal()
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait(5)

    def delay(self, port, seconds):
        """Each direction takes so much longer."""
        self._process.stdin.write(f"{port} {seconds}\n")
        self._process.stdin.flush()

    def drop(self, port, percent):
        """Of every hundred packets to and from that port so many are lost; 100 cuts the way off."""
        lost = "drop" if percent >= 100 else f"numgen random mod 100 < {percent} drop"
        nft(f"add table inet {_TABLE}\n"
             f"add chain inet {_TABLE} input {{ type filter hook input priority 0 ; }}\n"
             f"add rule inet {_TABLE} input tcp dport {port} {lost}\n"
             f"add rule inet {_TABLE} input tcp sport {port} {lost}\n")

    def heal(self):
        for port in self._routes if self._process is not None and self._process.poll() is None else ():
            self.delay(port, 0)
        nft(f"add table inet {_TABLE}\ndelete table inet {_TABLE}\n")
