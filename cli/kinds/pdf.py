"""PDF, by poppler's pdftotext and pdfinfo. They are processes of their own, with bounds, because a file of somebody else's may be made to break them."""

import re
import subprocess
import threading
from typing import BinaryIO

from cli.kinds.kind import CONTENT_BYTES_MAX, MIB, TOO_MUCH_TEXT, Extract, Kind
from cli.outcome import Failed

FILE_BYTES_MAX = 256 * MIB
MEMORY_BYTES_MAX = 2048 * MIB
SECONDS_MAX = 60
_COMPLAINT_BYTES_MAX = 4096
# What word processors write where nobody wrote a title.
_NO_TITLE = re.compile(r"untitled.*|(microsoft )?(word|powerpoint) - .*|\S+\.(docx?|odt|tex|dvi|indd|pptx?|ps)", re.IGNORECASE)


def _run(program: str, file: BinaryIO, *arguments: str) -> tuple[int, bytes, str]:
    """Status, output (a byte more than CONTENT_BYTES_MAX when it was cut there), first complaints. Raises Failed when its time is over."""
    name = f"/dev/fd/{file.fileno()}"
    command = ["prlimit", f"--as={MEMORY_BYTES_MAX}", f"--cpu={SECONDS_MAX}", "--core=0", program, *arguments, name]
    with subprocess.Popen([*command, "-"] if program == "pdftotext" else command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, pass_fds=[file.fileno()], process_group=0) as process:  # a Ctrl-C is the importer's
        complaints = bytearray()

        def listen() -> None:
            while piece := process.stderr.read1(_COMPLAINT_BYTES_MAX):
                complaints.extend(piece[:_COMPLAINT_BYTES_MAX - len(complaints)])

        late = threading.Event()
        clock = threading.Timer(SECONDS_MAX, lambda: (late.set(), process.kill()))
        listener = threading.Thread(target=listen)
        clock.start()
        listener.start()
        try:
            output = process.stdout.read(CONTENT_BYTES_MAX + 1)
            if len(output) > CONTENT_BYTES_MAX:
                process.kill()
            process.wait()
        finally:
            process.kill()
            clock.cancel()
            listener.join()
    if late.is_set():
        raise Failed("too slow a PDF", f"more than {SECONDS_MAX} s")
    return process.returncode, output, complaints.decode(errors="replace")


def _fault(status: int, complaints: str) -> Failed:
    """pdftotext(1), EXIT CODES: 1 opening the file, 3 permissions, 99 others."""
    if "Incorrect password" in complaints or "encrypted" in complaints.lower():
        return Failed("encrypted PDF", "it wants a password")
    if status == 3:
        return Failed("encrypted PDF", "its owner lets nobody copy text")
    if status < 0 or "Out of memory" in complaints:
        return Failed("broken PDF", "reading it takes more memory or time than it may")
    told = [re.sub(r"^(Syntax |I/O |Internal )?(Error|Warning)( \(\d+\))?: ", "", line) for line in complaints.splitlines()]
    return Failed("broken PDF", told[-1] if told else f"pdftotext ended with {status}")


def _title(file: BinaryIO) -> str | None:
    _, output, _ = _run("pdfinfo", file, "-enc", "UTF-8")
    found = re.search(r"^Title:[ \t]*(\S.*)$", output.decode(errors="replace"), re.MULTILINE)
    return found[1].strip() if found and not _NO_TITLE.fullmatch(found[1].strip()) else None


def _extract(file: BinaryIO, suffix: str) -> Extract:
    status, output, complaints = _run("pdftotext", file, "-enc", "UTF-8", "-eol", "unix")
    if len(output) > CONTENT_BYTES_MAX:
        raise Failed(TOO_MUCH_TEXT)
    if status != 0:
        raise _fault(status, complaints)
    content = output.decode(errors="replace").replace("\0", "").replace("\f", "\n\n").strip()
    if not content:
        raise Failed("no text in it", "pages that are pictures want OCR first")
    return Extract(content + "\n", _title(file))


KIND = Kind("pdf", frozenset({".pdf"}), FILE_BYTES_MAX, _extract, beginnings=(b"%pdf-",))
