#!/usr/bin/env bash
# Everything that must hold, from a fresh clone: bash tests/run.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

export OPENBLAS_NUM_THREADS=1
python=${PYTHON:-python3}
venv=.venv-tests torch=.venv-torch
# What Python makes of a file is kept, whatever the shell says of it, and not made again by each
# worker and each process that a test starts.
unset PYTHONDONTWRITEBYTECODE
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "rnnviz needs Python 3.11 or newer, found $("$python" --version)" >&2
    exit 1
}

if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv"
fi
if ! cmp -s tests/requirements.lock "$venv/installed.lock"; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        --requirement tests/requirements.lock
    cp tests/requirements.lock "$venv/installed.lock"
fi

find_chromium() {
    local name
    for name in "${RNNVIZ_CHROMIUM:-}" chromium chromium-browser google-chrome; do
        if [ -n "$name" ] && command -v "$name"; then return; fi
    done
}

if [ -z "$(find_chromium)" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium
    else
        "$venv/bin/python" -m playwright install chromium
    fi
fi
# Without a font that has Chinese characters, Chinese pages are drawn in boxes.
if [ -z "$(fc-list :lang=zh 2>/dev/null)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq fontconfig fonts-wqy-microhei || true
fi
if [ -z "$(fc-list :lang=zh 2>/dev/null)" ]; then
    echo "There is no font with Chinese characters here: tests of the pages' layout in Chinese may fail." >&2
fi
RNNVIZ_CHROMIUM=$(find_chromium)  # empty: Playwright's own
export RNNVIZ_CHROMIUM

# Every part runs, whatever the ones before it say; what failed is told at the end.
report=() status=0 aside=$(mktemp -d)
trap 'exit 130' INT
trap 'kill $(jobs -p) 2>/dev/null || true; rm -r "$aside"' EXIT
part() {
    local name=$1
    shift
    echo "== $name"
    if "$@"; then
        report+=("passed  $name")
    else
        report+=("FAILED  $name (exit status $?)")
        status=1
    fi
}

# Begins a part that gives way to all others: what it says is kept until `end_aside` waits for it.
begin_aside() {
    nice -n 19 "${@:2}" >"$aside/$1" 2>&1 &
    echo $! >"$aside/$1.pid"
}
end_aside() {
    local code=0
    wait "$(cat "$aside/$1.pid")" || code=$?
    cat "$aside/$1"
    return $code
}

# PyTorch has an environment of its own: nothing else needs it.
install_torch() {
    local wanted=tests/live_torch/requirements.txt
    [ -x "$torch/bin/python" ] || "$python" -m venv "$torch" || return
    if ! cmp -s "$wanted" "$torch/installed.txt"; then
        "$torch/bin/python" -m pip install --quiet --disable-pip-version-check \
            --requirement "$wanted" && cp "$wanted" "$torch/installed.txt" || return
    fi
}

part "lint" "$venv/bin/ruff" check .
part "format" "$venv/bin/ruff" format --check .
pytest=("$venv/bin/python" -m pytest --durations=25)
both=(--numprocesses 2 --dist worksteal)  # a worker that has ended takes from the other
if [ $# -gt 0 ]; then
    part "types" "$venv/bin/mypy"
    part "pytest $*" "${pytest[@]}" "$@"
else
    part "unit and page tests" "${pytest[@]}" "${both[@]}" --ignore tests/browser tests
    # Each worker has a server and a browser of its own. What races a script as a hand does, or looks
    # at every frame, comes afterwards, with both cores for itself: what it leaves of them is enough
    # for what no hand waits for.
    alone=(tests/browser/test_{races,train_frames}.py)
    part "browser tests" "${pytest[@]}" "${both[@]}" "${alone[@]/#/--ignore=}" tests/browser
    part "environment with PyTorch" install_torch
    begin_aside mypy "$venv/bin/mypy"
    begin_aside torch env OMP_NUM_THREADS=1 "$torch/bin/python" -m pytest tests/live_torch
    part "browser tests alone" "${pytest[@]}" "${alone[@]}"
    part "types" end_aside mypy
    part "tests with PyTorch" end_aside torch
fi
printf '%s\n' "" "${report[@]}"
exit $status
