"""Documents whose file is gone: which they are, and who has to agree before they are removed."""

from cli.library import Held, Library
from cli.outcome import Failed
from cli.summary import Summary
from cli.terminal import count_text, harmless_line
from cli.walk import Found

_NAMES_MAX = 10

Gone = list[tuple[str, Held]]


class NeedsYes(Exception):
    """There is nobody to ask. The text says what was not done, and how it can be."""


def gone(found: Found, library: Library, summary: Summary, yes: bool) -> Gone:
    """Each document below the named folders that came from them and whose file is not there; why others stay is told to the summary."""
    present = {source.name for source in found.sources} | {place.name for place, _ in found.left_out}
    by_id: dict[str, tuple[str, Held]] = {}
    for folder in found.folders:
        if not folder.name:
            summary.leave_out("/", Failed("not pruned", "every import is below the root"))
            continue
        # What is below such a folder came when that was named, and may be there; the folder itself, named now too, is compared as any other.
        unentered = [place for place in found.unentered if place.name.startswith(folder.name) and place.name != folder.name]
        missing, unknown = library.missing(folder, found.blind + unentered, present)
        if unknown:
            told = f"{count_text(unknown, 'document')} of an older import, whose folder isn't known; --take-over --prune removes them"
            summary.leave_out(folder.name, Failed("not pruned", told))
        if missing and not yes and not any(name.startswith(folder.name) for name in present):
            told = f"no file is there, but {count_text(len(missing), 'document')}; --yes removes what is gone"
            summary.leave_out(folder.name, Failed("not pruned", told))
        else:
            by_id |= {document.id: (name, document) for name, document in missing}
    return sorted(by_id.values())


def may_remove(gone_ones: Gone, unattended: bool) -> bool:
    """Asks on a terminal. Raises NeedsYes where there is nobody to ask."""
    what = count_text(len(gone_ones), "document")
    if unattended:
        raise NeedsYes(f"Nothing was removed: without a terminal --prune needs --yes, and would remove {what} whose file is gone.")
    names = "".join(f"  {harmless_line(name)}\n" for name, _ in gone_ones[:_NAMES_MAX])
    more = f"  ... and {len(gone_ones) - _NAMES_MAX} more (--prune --dry-run --verbose names all)\n" if len(gone_ones) > _NAMES_MAX else ""
    try:
        return input(f"The files of these are gone:\n{names}{more}Remove {what}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
