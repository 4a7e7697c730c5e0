"""Reading hostile bytes outside this process: a fork server (zygote) forks one worker for each document.

    extractor    the function's entry point: a file in, a `Text` or a DocumentError out; retries and fallbacks
    client       the function's end of the socket to the fork server, and of each worker's pipes
    protocol     the frames that a worker sends, and their validation
    fork_server  the process that imports the readers once, and forks
    preloader    what that process imports before it forks
    worker       what a forked worker does: it restricts itself, reads one document, sends it and ends

The fork server imports this package, and every forked worker pays for each module that the fork server
has: so nothing is imported here.
"""
