"""A process of its own for hostile bytes: the function asks, a fork server forks a worker a document.

The fork server imports this package too, and each module that it has makes every fork dearer: so nothing
is imported here.
"""
