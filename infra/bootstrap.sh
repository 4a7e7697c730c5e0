# Sourced by the commands in this folder: finds a Python, and with it executes the command in its environment.
# 3.13 is tried first, as it is the deployed runtime. A name on PATH may be a shim of a Python that is not
# installed, so each one is run to see.

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
