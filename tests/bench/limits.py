"""What the machine's limits let be measured. What they don't is told as such in the report ("not measured"), never left out in silence."""

import resource
import shutil

OWN_FILES = 512  # that a server or load tool has open beside its connections: logs, Kafka, PostgreSQL, listeners


def descriptors_lacking(connections: int, each: int = 1, limit: int | None = None) -> str | None:
    """Why so many connections are too many for one process, which spends `each` descriptors on one; None: they aren't."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1] if limit is None else limit
    needed = connections * each + OWN_FILES
    if limit in (resource.RLIM_INFINITY,) or needed <= limit:
        return None
    return f"needs {needed:,} open files in one process, and the hard limit is {limit:,}"


def disk_lacking(folder: str, needed_bytes: int) -> str | None:
    free = shutil.disk_usage(folder).free
    return None if needed_bytes <= free else f"needs {needed_bytes / 1e9:,.0f} GB of disk, and {free / 1e9:,.0f} are free"
