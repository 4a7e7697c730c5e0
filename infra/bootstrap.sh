# Sourced by the commands beside it: finds a Python and becomes the asked-for command in its own environment.
# The deployed runtime's 3.13 comes first. A name on PATH may be a shim that does not run, so each is tried.

become() {
    here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 2
    for python in "${PIGEONHOLE_PYTHON:-python3.13}" "${HOME:-/}"/.pyenv/versions/3.13*/bin/python3.13 \
        python3.12 python3.11 python3; do
        if "$python" -I -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            exec "$python" -I "$here/dev/bootstrap.py" "$@"
        fi
    done
    echo 'pigeonhole needs Python 3.11 or newer with its venv module (on Debian: apt install python3-venv);' \
        'PIGEONHOLE_PYTHON can name one.' >&2
    exit 2
}
