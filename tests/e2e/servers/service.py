"""A topic consumer of ours: session, documents, query."""

import os
import subprocess

from .binary import SOURCE, Binary


class Service(Binary):
    def __init__(self, name, folder, room, settings, migrate_settings=None):
        super().__init__(name, folder, room, settings)
        self.room = room
        self._migrate_settings = migrate_settings or {}

    def environment(self):
        migrations = os.path.join(SOURCE, "services", self.room, "migrations")
        return {**super().environment(), "QUIRE_MIGRATIONS": migrations}

    def migrate(self):
        """Runs `<binary> migrate` and returns its exit status; its output goes to the log."""
        with open(self.log_path, "ab") as log:
            environment = {**self.environment(), **self._migrate_settings}
            return subprocess.run([self.path, "migrate"], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                  timeout=120).returncode
