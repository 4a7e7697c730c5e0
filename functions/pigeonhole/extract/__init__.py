"""The readers: bytes to text, one module for each format, one registry, one set of limits.

    interface     what a reader takes and yields          registry  which module reads which format
    sniff, magic  which format a document has             limits    what a document may cost
    text_builder  segments to a `Text` with its coverage  tidy      noise out of the text
    nested        documents inside documents              the rest  a reader, or a part of one

They run in a worker of `pigeonhole.sandbox`. A reader imports its libraries where it uses them, so that a
process that never meets its format never loads them.
"""
