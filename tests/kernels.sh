#!/usr/bin/env bash
# Every test that trains, under each kernel that this processor can run: training is chaotic, and
# what is said of it must not hang on rounding. bash tests/kernels.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE NPY_DISABLE_CPU_FEATURES NPY_ENABLE_CPU_FEATURES
export OPENBLAS_NUM_THREADS=1
python=.venv-tests/bin/python
if [ ! -x "$python" ]; then
    echo "there is no .venv-tests yet: bash tests/run.sh makes it" >&2
    exit 1
fi
exec "$python" -m tests.kernels "$@"
