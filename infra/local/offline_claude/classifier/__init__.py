"""What a document is: its category by BM25, its language, title, summary, keywords and quotes.

It knows nothing of the API: text and the names of categories go in, an `Analysis` comes out.
"""
