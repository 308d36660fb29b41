#!/bin/sh
# Makes a virtual environment and installs a locked list of packages and croupier itself into it.
#
#   tools/setup.sh VENV REQUIREMENTS
#
# PYTHON=... names the interpreter; without it the first of python3, python3.14 ... python3.11 that is new enough
# serves. Where the system's Python cannot put pip into an environment (Debian without python3-venv), its own pip or
# uv does the installing. Every package is checked against the hash in the lock; nothing is compiled.
set -eu
venv=$1
requirements=$2

say() { printf '%s\n' "$*" >&2; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3}; do
        if new_enough "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    say "croupier needs Python 3.11 or newer; found $(${PYTHON:-python3} --version 2>&1 || echo none)."
    say "Install one (Debian 12+: apt install python3 python3-venv; macOS: brew install python), or name yours:"
    say "    make setup PYTHON=/path/to/python3.12"
    return 1
}

cannot_install() {
    say "$1 can neither make an environment with pip nor install into one."
    say "Debian and Ubuntu keep that in a package of its own: run 'apt install python3-venv' as root, then make again."
    return 1
}

make_venv() {
    "$1" -m venv --clear "$venv" >/dev/null 2>&1 && return 0
    "$1" -m venv --clear --without-pip "$venv" || cannot_install "$1"
}

# The command that installs into the environment, from the best that is there.
install() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m pip --disable-pip-version-check install --no-compile --quiet "$@"
    elif "$python" -m pip --python "$venv/bin/python" --version >/dev/null 2>&1; then
        "$python" -m pip --disable-pip-version-check --python "$venv/bin/python" install --no-compile --quiet "$@"
    elif command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$venv/bin/python" "$@"
    else
        cannot_install "$python"
    fi
}

python=$(find_python)
if ! new_enough "$venv/bin/python"; then
    say "Making $venv with $("$python" --version) ..."
    make_venv "$python"
fi
say "Installing $requirements (the first time this downloads about 60 MB) ..."
install --require-hashes --only-binary :all: -r "$requirements"
install --no-deps --no-build-isolation -e .
