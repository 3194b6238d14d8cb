#!/bin/sh
# Makes .venv as uv.lock says: `setup.sh run` with what the product needs, `setup.sh dev` with the tools as well.
# Needs Python 3.11 or later, and uv or pip; works with or without root, and under PEP 668.
set -eu
cd "$(dirname "$0")/.."

refuse() {
    echo "portal: $1" >&2
    exit 1
}

python=
for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
    # a shim or an activated environment stands for an interpreter elsewhere: ask it where
    if found=$("$name" -c 'import sys; print(sys.executable); sys.exit(sys.version_info < (3, 11))' 2>/dev/null); then
        python=$found
        break
    fi
done
[ -n "$python" ] || refuse "Python 3.11 or later is needed; python3 is $(python3 --version 2>/dev/null || echo missing)"

uv=uv
if ! uv --version >/dev/null 2>&1; then
    uv=.tools/bin/uv
    if ! "$uv" --version >/dev/null 2>&1; then
        "$python" -m pip --version >/dev/null 2>&1 ||
            refuse "uv or pip is needed; on Debian: apt-get install python3-pip"
        echo "portal: installing uv into .tools"
        "$python" -m pip install --quiet --disable-pip-version-check --target .tools --upgrade --root-user-action=ignore uv ||
            refuse "uv could not be installed; see the lines above"
    fi
fi

case "${1:-run}" in
run) set -- --no-dev ;;
dev) set -- --group dev --group browser ;;
*) refuse "setup.sh takes 'run' or 'dev'" ;;
esac
# compiled once here, each of the portal's processes starts in a quarter of the time
export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv UV_COMPILE_BYTECODE=1
unset VIRTUAL_ENV
sync() { "$uv" sync --locked --inexact --quiet --python "$python" "$@"; }
sync "$@" && exit
# behind a proxy that has a certificate of its own, the machine knows it and uv's list does not
echo "portal: once more, with this machine's own certificates" >&2
export UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1
sync "$@"
