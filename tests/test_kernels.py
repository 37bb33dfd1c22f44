"""Which arithmetics the tests that train are repeated under."""

from __future__ import annotations

import pytest

from tests.kernels import Arithmetic, Environment, asked, cases, processor_flags

OLD = {"pni", "sse4_2", "avx"}
NEW = OLD | {"avx2", "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
FEATURES = ("X86_V3", "X86_V4")


def ask(environment: Environment) -> Arithmetic:
    """A library that has no Zen and no Prescott, on a processor that would take SkylakeX."""
    kernel = environment.get("OPENBLAS_CORETYPE", "SkylakeX")
    off = environment.get("NPY_DISABLE_CPU_FEATURES", "").split()
    kernel = {"Zen": "Haswell", "Prescott": "Katmai"}.get(kernel, kernel)
    return Arithmetic(kernel, tuple(name for name in FEATURES if name not in off))


def plan(flags: set[str]) -> dict[str, str]:
    """What is set -> what is run with it, or why not."""
    return {" ".join(env.values()): str(found) for env, found in cases(flags, ask)}


def test_each_kernel_is_run_once_and_what_is_not_says_why() -> None:
    found = plan(NEW)
    assert found[""] == "OpenBLAS SkylakeX, NumPy X86_V3 X86_V4"
    assert found["SkylakeX"] == "NumPy's OpenBLAS takes SkylakeX for it, which is run already"
    assert found["Haswell"] == "OpenBLAS Haswell, NumPy X86_V3 X86_V4"
    assert found["Zen"] == "NumPy's OpenBLAS takes Haswell for it, which is run already"
    assert found["Prescott"] == "OpenBLAS Katmai, NumPy X86_V3 X86_V4"
    assert found["X86_V4"] == "OpenBLAS SkylakeX, NumPy X86_V3"
    assert found["X86_V3 X86_V4"] == "OpenBLAS SkylakeX, NumPy baseline"
    assert "amx_bf16" in found["SapphireRapids"]


def test_no_kernel_is_asked_for_that_the_processor_cannot_run() -> None:
    asked: list[str] = []

    def hear(environment: Environment) -> Arithmetic:
        asked.extend(environment.values())
        return Arithmetic("Sandybridge", ())

    found = {env.get("OPENBLAS_CORETYPE"): text for env, text in cases(OLD, hear)}
    assert set(asked) == {"Sandybridge", "Nehalem", "Prescott"}
    assert found["Haswell"] == "this processor lacks avx2, fma"


@pytest.mark.skipif("sse4_2" not in processor_flags(), reason="needs a processor with SSE4.2")
def test_the_kernel_in_use_is_the_one_that_was_asked_for() -> None:
    if asked({}).kernel == "unknown":
        pytest.skip("this NumPy has no OpenBLAS of its own")
    assert asked({"OPENBLAS_CORETYPE": "Nehalem"}).kernel == "Nehalem"
