"""An authority of our own, and the certificates that it gives to servers on loopback."""

import os
import subprocess


class Authority:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.certificate = os.path.join(folder, "ca.pem")
        self._key = os.path.join(folder, "ca.key")
        self._openssl("req", "-x509", "-new", "-nodes", *_KEY, "-keyout", self._key, "-out", self.certificate, "-days", "2",
                      "-subj", "/CN=Quire's test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, address="127.0.0.1"):
        """Paths of (certificate, key) for a server at `address`; anybody may read them, as each server has a user of its own."""
        path = lambda kind: os.path.join(self.folder, f"{name}.{kind}")  # noqa: E731
        self._openssl("req", "-x509", "-new", "-nodes", *_KEY, "-keyout", path("key"), "-out", path("pem"), "-days", "2", "-subj", f"/CN={name}",
                      "-CA", self.certificate, "-CAkey", self._key, "-addext", f"subjectAltName=IP:{address}",
                      "-addext", "basicConstraints=critical,CA:FALSE")
        os.chmod(path("key"), 0o644)
        return path("pem"), path("key")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, capture_output=True)


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
