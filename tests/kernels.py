"""The tests marked `trained`, once under each arithmetic that this processor can run.

What decides the last bits: the kernel that NumPy's OpenBLAS takes for a processor (of the same
processor another one can be asked for), and the instructions that NumPy's own loops use.
`bash tests/kernels.sh` runs this without what the environment says of either.
"""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# OPENBLAS_CORETYPE -> the flags, as Linux names them, of a processor that can run it.
AVX2, AVX512 = {"avx2", "fma"}, {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
NEEDS: Mapping[str, set[str]] = {
    "Prescott": {"pni"},
    "Nehalem": {"sse4_2"},
    "Sandybridge": {"avx"},
    "Haswell": AVX2,
    "Zen": AVX2,
    "SkylakeX": AVX512,
    "Cooperlake": AVX512 | {"avx512_bf16"},
    "SapphireRapids": AVX512 | {"avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"},
}


@dataclass(frozen=True)
class Arithmetic:
    """The kernel of OpenBLAS and the features of NumPy's loops that are in use."""

    kernel: str
    features: tuple[str, ...]

    def __str__(self) -> str:
        return f"OpenBLAS {self.kernel}, NumPy {' '.join(self.features) or 'baseline'}"


Environment = dict[str, str]
Ask = Callable[[Environment], Arithmetic]


def cases(flags: set[str], ask: Ask) -> Iterator[tuple[Environment, Arithmetic | str]]:
    """Each environment to try, with the arithmetic that it gives, or with why it is left out.

    flags: of the processor. ask: the arithmetic that a process with these variables uses.
    """
    default = ask({})
    seen = {default}
    yield {}, default
    for kernel, needed in NEEDS.items():
        environment = {"OPENBLAS_CORETYPE": kernel}
        if missing := sorted(needed - flags):
            yield environment, f"this processor lacks {', '.join(missing)}"
        elif (found := ask(environment)) in seen:
            yield environment, f"NumPy's OpenBLAS takes {found.kernel} for it, which is run already"
        else:
            seen.add(found)
            yield environment, found
    for first in range(len(default.features)):
        environment = {"NPY_DISABLE_CPU_FEATURES": " ".join(default.features[first:])}
        found = ask(environment)
        kept = found.features == default.features[:first]
        yield environment, found if kept else f"NumPy still uses {' '.join(found.features)}"


def arithmetic() -> Arithmetic:
    """What this process uses, as the two libraries say themselves."""
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return Arithmetic(_kernel(), tuple(features))


def _kernel() -> str:
    """The name of the kernel that is in use; "unknown" for a NumPy with a library of its own."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs")
    for path in (found for folder in folders for found in folder.glob("*openblas*")):
        library = ctypes.CDLL(str(path))
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename"):
            if hasattr(library, name):
                corename = getattr(library, name)
                corename.restype = ctypes.c_char_p
                return str(corename().decode())
    return "unknown"


def asked(environment: Environment) -> Arithmetic:
    """What a new process with these variables uses."""
    code = "from tests.kernels import arithmetic as a; print(a().kernel, *a().features)"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment},
                          check=True, capture_output=True, text=True)  # fmt: skip
    kernel, *features = done.stdout.split()
    return Arithmetic(kernel, tuple(features))


def processor_flags() -> set[str]:
    """Of the processor; none where the system does not list them, so that no kernel is asked for
    which it may not have."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())


def _passes(environment: Environment, options: Sequence[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-m", "trained", "--ignore", "tests/browser", "-q",
               "--numprocesses", "2", *(options or ["tests"])]  # fmt: skip
    return subprocess.run(command, env={**os.environ, **environment}).returncode == 0


def main(options: Sequence[str]) -> int:
    """Run them all, then say what was run and what was not; 1 if anything failed."""
    said, failed = [], False
    for environment, found in cases(processor_flags(), asked):
        name = " ".join(f"{key}='{value}'" for key, value in environment.items()) or "as it is"
        if isinstance(found, str):
            said.append(f"not run  {name}: {found}")
            continue
        _say([f"== {name}: {found}"])
        passed = _passes(environment, options)
        failed |= not passed
        said.append(f"{'passed' if passed else 'FAILED'}   {name}: {found}")
    of = f"{platform.machine()}, NumPy {np.__version__}"
    _say(["", f"{of}; what trains in tests/browser is not run here", *said])
    return int(failed)


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
