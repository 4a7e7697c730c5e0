r"""Makes the sample documents that are no plain text, from the words in sources/: the same bytes every time.

The plain-text samples (Markdown, HTML, JSON, CSV, two of the TXT) are written by hand and stand as they are.
The samples are committed, so nobody needs to run this; to change one, edit its source and run

    uv run --no-project --with reportlab,python-docx,openpyxl,python-pptx,pillow \
        python -m tests.documents.make_samples

from the root of the repository. Those libraries are not part of its environment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from tests.documents.pictures import display, photograph, saved, scan
from tests.documents.renderings import pdf, sheets, slides, word

HERE = Path(__file__).parent


def source(name: str) -> str:
    """The words that a sample is made of."""
    return (HERE / "sources" / name).read_text(encoding="utf-8")


def fault_report() -> bytes:
    """An e-mail that answers another one, with a log and a picture attached."""
    mail = EmailMessage(policy=SMTP.clone(cte_type="8bit"))
    mail["From"] = "Ilse Varnhagel <ilse@nordhang.example>"
    mail["To"] = "Support <support@tarnbeck.example>"
    mail["Subject"] = "Re: [Ticket 20993] Flow meter not working, error F17"
    mail["Date"] = "Tue, 20 Oct 2026 10:12:00 +0200"
    mail["Message-ID"] = "<20993-2@nordhang.example>"
    mail["In-Reply-To"] = "<20993-1@tarnbeck.example>"
    mail.set_content(source("fault-report.txt"), charset="utf-8", cte="8bit")
    mail.add_attachment(source("meter-log.txt"), filename="meter.log", charset="utf-8", cte="8bit")
    mail.add_attachment(
        display("0.0 l/min", "ERROR F17"), maintype="image", subtype="png", filename="display.png"
    )
    mail.set_boundary("=_pigeonhole_sample")
    return mail.as_bytes()


def noise(size: int) -> bytes:
    """Bytes that look like no format."""
    return b"".join(hashlib.sha256(b"sample %d" % n).digest() for n in range(size // 32))


SAMPLES: dict[str, Callable[[], bytes]] = {
    "finance/invoice-QL-2026-4711.pdf": lambda: pdf(source("invoice.md")),
    "finance/Rechnung 2026-0815.docx": lambda: word(source("rechnung.md")),
    "finance/expenses-tennick-october.xlsx": lambda: sheets(source("expense-report.md")),
    "finance/scanned-invoice-0392.pdf": lambda: saved(scan(source("scanned-invoice.md"), seed=392), "PDF"),
    "purchasing/PO-10482.xlsx": lambda: sheets(source("purchase-order.md")),
    "purchasing/letter-of-intent.pdf": lambda: pdf(source("letter-of-intent.md")),
    "legal/master-services-agreement.docx": lambda: word(source("master-services-agreement.md")),
    "legal/settlement-locked.pdf": lambda: pdf(source("settlement.md"), password="sample"),
    "legal/nda-draft-cut-off.docx": lambda: word(source("nda.md"))[:9_000],
    "people/aldercross-resume.pdf": lambda: pdf(source("resume.md"), columns=True),
    "people/remote-work-policy.pdf": lambda: pdf(source("remote-work-policy.md")),
    "people/parental-leave-application.pdf": lambda: pdf(source("leave-form.md")),
    "inbox/scan-batch-0031.pdf": lambda: pdf(source("mixed-invoice.md"), source("mixed-resume.md")),
    "inbox/empty.txt": lambda: b"",
    "research/third-quarter-report.pptx": lambda: slides(source("review.md")),
    "support/RE flow meter shows zero.eml": fault_report,
    "office/lettre-résiliation.txt": lambda: source("lettre.txt").encode("cp1252"),
    "tokyo/請求書-2026-10.txt": lambda: source("seikyusho.txt").encode("shift_jis"),
    "front-desk/visitor-form-photo.jpg": lambda: photograph(source("visitor-form.md")),
    "it/backup-2026-10-19.dat": lambda: noise(2_048),
    "it/meter-update-3.2.bin": lambda: b"\x7fELF\x02\x01\x01" + bytes(57) + noise(1_024),
}


def main() -> None:
    """Write every sample of the table."""
    for name, make in SAMPLES.items():
        path = HERE / "samples" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())
        print(f"{path.stat().st_size:>8,}  {name}")


if __name__ == "__main__":
    main()
