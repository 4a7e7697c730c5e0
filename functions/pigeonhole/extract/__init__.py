"""The readers: bytes to text, one format a file, one registry, one set of limits."""
