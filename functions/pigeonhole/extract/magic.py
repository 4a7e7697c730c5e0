"""Magic bytes: what documents begin with or have inside, and what each is called.

A name is one of the registry's formats, or a plain name of what is not read. This is the only table of such
bytes: sniffing takes them from here, and so does the fork server, which imports a format's libraries as soon
as it sees how a document begins.
"""

from __future__ import annotations

# Beginnings of documents that need a closer look.
PDF = b"%PDF-"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BMP = b"BM"
RIFF = b"RIFF"
# Beginnings that tell what the document is.
MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"{\\rtf", "rtf"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x1f\x9d", "compressed data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"\x04\x22\x4d\x18", "LZ4 data"),
    (b"MSCF\x00", "cabinet archive"),
    (b"!<arch>\n", "library or package archive"),
    (b"\xed\xab\xee\xdb", "RPM package"),
    (b"MZ", "Windows program"),
    (b"\x7fELF", "Linux program"),
    (b"\xcf\xfa\xed\xfe", "macOS program"),
    (b"\xce\xfa\xed\xfe", "macOS program"),
    (b"\xca\xfe\xba\xbe", "Java class or macOS program"),
    (b"\x00asm", "WebAssembly program"),
    (b"dex\n0", "Android program"),
    (b"ITSF", "compiled help (CHM)"),
    (b"ITOLITLS", "Microsoft Reader book"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "OneNote notebook"),
    (b"\x9b\xa5", "doc"),
    (b"\xdb\xa5", "doc"),
    (b"\x31\xbe\x00\x00", "Word document for DOS"),
    (b"\x09\x00\x04\x00", "Excel sheet of before 1993"),
    (b"\x09\x02\x06\x00", "Excel sheet of before 1993"),
    (b"\x09\x04\x06\x00", "Excel sheet of before 1993"),
    (b"\xffWPC", "WordPerfect document"),
    (b"HWP Document File", "Hangul document"),
    (b"AT&TFORM", "DjVu document"),
    (b"AC10", "AutoCAD drawing"),
    (b"\xd7\xcd\xc6\x9a", "WMF drawing"),
    (b"\xc5\xd0\xd3\xc6", "PostScript drawing"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "JPEG 2000 image"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"8BPS", "Photoshop image"),
    (b"gimp xcf", "GIMP image"),
    (b"ID3", "sound"),
    (b"\xff\xfb", "sound"),
    (b"\xff\xf3", "sound"),
    (b"OggS", "sound or film"),
    (b"fLaC", "sound"),
    (b"MThd\x00", "sound"),
    (b"\x1aE\xdf\xa3", "film"),
    (b"\x00\x00\x01\xba", "film"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "sound or film"),
    (b"FLV\x01", "film"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"\x00\x01\x00\x00Standard ", "Access database"),
    (b"\x00\x01\x00\x00\x00", "font"),
    (b"OTTO\x00", "font"),
    (b"ttcf\x00", "font"),
    (b"wOFF", "font"),
    (b"wOF2", "font"),
    (b"!BDN", "Outlook mailbox (PST)"),
    (b"PAR1", "Parquet table"),
    (b"ARROW1\x00", "Arrow table"),
    (b"\x89HDF\r\n", "HDF5 data"),
    (b"bplist00", "property list"),
)
# Magic bytes that stand further in: place, bytes, name.
MAGIC_AT_OFFSET = (
    (4, b"ftypheic", "HEIC image"),
    (4, b"ftypheix", "HEIC image"),
    (4, b"ftypmif1", "HEIC image"),
    (4, b"ftypavif", "AVIF image"),
    (4, b"ftyp", "film"),
    (40, b" EMF", "EMF drawing"),
    (60, b"BOOKMOBI", "Kindle book"),
    (128, b"DICM", "medical image (DICOM)"),
    (257, b"ustar", "tar archive"),
)
# Of Office packages: a folder, and what has it.
PACKAGE_FOLDERS = (
    ("word/", "docx"),
    ("ppt/", "pptx"),
    ("xl/workbook.bin", "xlsb"),
    ("xl/", "xlsx"),
    ("visio/", "Visio drawing"),
    ("3D/", "3D model"),
)
# Of packages of any sort: a member by its whole name, or by its ending.
PACKAGE_MEMBERS = (
    ("META-INF/container.xml", "epub"),
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("xl/workbook.xml", "xlsx"),
    ("Index/Document.iwa", "Apple Pages, Numbers or Keynote document"),
    ("Index.zip", "Apple Pages, Numbers or Keynote document"),
    ("index.apxl", "Apple Keynote document"),
    ("buildVersionHistory.plist", "Apple Pages or Numbers document"),
    ("AndroidManifest.xml", "Android program"),
    ("META-INF/MANIFEST.MF", "Java archive"),
)
PACKAGE_MEMBER_ENDINGS = ((".fdseq", "XPS document"),)
PACKAGE_MIMETYPES = {
    "application/epub+zip": "epub",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.text-master": "odt",
    "application/vnd.oasis.opendocument.text-web": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.graphics": "odp",
    "application/vnd.sun.xml.writer": "odt",
    "application/vnd.sun.xml.calc": "ods",
    "application/vnd.sun.xml.impress": "odp",
    "application/vnd.sun.xml.draw": "odp",
}
# Of compound files: a stream or storage, and what has it.
COMPOUND_STREAMS = (
    ("EncryptedPackage", "encrypted"),
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("PP97_DUALSTORAGE", "ppt"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("__properties_version1.0", "msg"),
    ("VisioDocument", "Visio drawing"),
    ("Quill", "Publisher document"),
    ("Props9", "Project plan"),
    ("Props12", "Project plan"),
    ("Props14", "Project plan"),
    ("\x05HwpSummaryInformation", "Hangul document"),
    ("MatOST", "Works document"),
    ("WksSSWorkBook", "Works spreadsheet"),
    ("PerfectOffice_MAIN", "WordPerfect document"),
    ("StarWriterDocument", "StarOffice document"),
    ("StarCalcDocument", "StarOffice spreadsheet"),
    ("SwDocContentMgrTempStorage", "SolidWorks model"),
)
# Of all that is recognised and not read, what holds no words.
WITHOUT_TEXT = frozenset(
    name
    for *_, name in (*MAGIC, *MAGIC_AT_OFFSET)
    if name in ("sound", "film", "sound or film", "font", "icon") or name.endswith("program")
) | {"sound or film"}
_PACKAGES = (
    *(name for _, name in PACKAGE_FOLDERS),
    *(name for _, name in PACKAGE_MEMBERS),
    *PACKAGE_MIMETYPES.values(),
    "zip",
)
_CANDIDATES = (
    *((prefix, (name,)) for prefix, name in MAGIC),
    (PDF, ("pdf",)),
    *((prefix, _PACKAGES) for prefix in ZIP),
    (COMPOUND, tuple(name for _, name in COMPOUND_STREAMS)),
    (BMP, ("bmp",)),
    (RIFF, ("webp",)),
)
LONGEST = max(len(prefix) for prefix, _ in _CANDIDATES)  # bytes
NAMES = frozenset(name for _, names in _CANDIDATES for name in names)


def candidates(head: bytes) -> tuple[str, ...]:
    """The names that a document may have whose first bytes are `head`; none where it has no magic bytes."""
    return next((names for prefix, names in _CANDIDATES if head.startswith(prefix)), ())
