"""The page that shows what became of a folder of documents."""
