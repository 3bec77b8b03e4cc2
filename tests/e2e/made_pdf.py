"""The smallest PDF files that a reader takes, written by hand (ISO 32000-1, 7.5)."""


def pdf(text, title=None, encrypted=False):
    """One page with a line of ASCII text; none when the text is empty. `encrypted` wants a password that nobody has."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< {f'/Title ({title})' if title else ''} >>",
        f"<< /Filter /Standard /V 1 /R 2 /P -1 /O <{'41' * 32}> /U <{'42' * 32}> >>",
    ]
    body, places = "%PDF-1.4\n", []
    for number, written in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{written}\nendobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"/Size {len(objects) + 1} /Root 1 0 R /Info 6 0 R" + (f" /Encrypt 7 0 R /ID [<{'00' * 16}> <{'00' * 16}>]" if encrypted else "")
    return (body + table + f"trailer\n<< {trailer} >>\nstartxref\n{len(body)}\n%%EOF\n").encode("ascii")
