"""Services beside the built-in ones: a folder of examples/ or extensions/, and the program that the build makes of it."""

import glob
import os
import re
import subprocess

from .binary import BUILD, SOURCE, Binary


def extension_folders():
    """As "examples/stats", in a fixed order."""
    return sorted(os.path.relpath(os.path.dirname(path), SOURCE)
                  for kind in ("examples", "extensions") for path in glob.glob(os.path.join(SOURCE, kind, "*", "CMakeLists.txt")))


def extension_routes():
    """The (path, method) pairs that their .proto files bind."""
    texts = [open(path).read() for folder in extension_folders() for path in glob.glob(os.path.join(SOURCE, folder, "*.proto"))]
    return {(path, method) for text in texts for method, path in re.findall(r'\b(get|post|put|delete|patch): "(/[^"]*)"', text)}


class Extension(Binary):
    """It is `quire_<name>` to PostgreSQL and has the schema <name>, whatever it is written in."""

    def __init__(self, source, folder, settings, migrate_settings):
        name = os.path.basename(source)
        super().__init__(name, folder, name, settings)
        self.path = os.path.join(BUILD, source, f"quire-{name}")
        self._migrations = os.path.join(SOURCE, source, "migrations")
        self._migrate_settings = migrate_settings

    def migrate(self):
        """Applies the folder's migrations, if it has some, and returns the exit status; what is said goes to the log."""
        if not os.path.isdir(self._migrations):
            return 0
        environment = {**self.environment(), **self._migrate_settings, "QUIRE_MIGRATIONS": self._migrations}
        with open(self.log_path, "ab") as log:
            return subprocess.run([os.path.join(BUILD, "services/runtime/quire-migrate"), self.name], env=environment, stdout=log, stderr=log,
                                  stdin=subprocess.DEVNULL, timeout=120).returncode
