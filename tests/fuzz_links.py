"""Links that nobody would make, opened one after the other: `python -m tests.fuzz_links`.

Link n of a seed is always the same. Each is opened in a process of its own, forked from one that
has opened the first page (an idle server), and may take 5 s of its processor and 500 MB more than
that one has; there must be no traceback and no blank chart. Links that break it are written out, as
an address and why; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil

from rnnviz.core import CELLS
from rnnviz.dashboard import jobs
from rnnviz.dashboard.main import PAGES
from rnnviz.dashboard.state import PIN, VIEWS
from rnnviz.experiment import FIELDS, Field
from rnnviz.experiment.links import TEXT_CUT
from rnnviz.experiment.model import NETWORK_FIELDS, overrides_of
from rnnviz.jobs.workers import Call, Workers
from tests.dashboard.support import assert_sound, visit

SECONDS = 5
BYTES = 500 << 20
ROOM = 1 << 30
"""More than may be used, so that what uses too much is told how much it was; the machine is safe
from what asks for more than this."""
NONSENSE = (
    *("", " ", "nan", "-inf", "1e999", "0x10", "1_000", "١٢", "½", "--1", "None", "[]", "é\u0301"),
    *("\u202eabc", "<img src=x>", "$\\href{//a.b}{c}$", "'; --", "\0", "😀" * 50, "a" * 5000),
)
WORDS = (
    *(
        "gain",
        "seq_len",
        "hidden_size",
        "memory_bias",
        "fine",
        "coarse",
        "slope",
        "horizon",
        "1",
        "2",
    ),
    *("forward", "backward", "rnn", "lstm", "f", "sigma", "carry", "clipping", "64", "99999"),
    *("mean_field", "pascanu", "state", "hidden", "nilpotent"),
)
LETTERS = "abc xyz\n\t.,ÄßЖ中😀\u202e\u0000<>&$*_"
Query = dict[str, list[str]]


def link(seed: int, number: int) -> tuple[str, Query]:
    """A page, and what its link says: name -> its values, which may be several."""
    rng = np.random.default_rng([seed, number])
    query = _settings(rng, share=rng.choice([0.05, 0.2, 0.5, 1.0], p=[0.3, 0.4, 0.2, 0.1]))
    for view in sorted(VIEWS):  # each from its own stream: another view leaves the rest as it is
        own = np.random.default_rng([seed, number, *view.encode()])
        if own.random() < 0.3:
            query[view] = [str(own.choice(WORDS if own.random() < 0.8 else NONSENSE))]
    if rng.random() < 0.2:
        query[PIN] = [urlencode(_settings(rng, share=0.2), doseq=True)]
    if rng.random() < 0.1:
        query[TEXT_CUT] = [str(rng.choice(NONSENSE))]
    if rng.random() < 0.05:
        query |= {f"{n}{rng.choice(NONSENSE)[:9]}": ["x"] for n in range(990)}
    return str(rng.choice(list(PAGES))), query


def _settings(rng: np.random.Generator, share: float) -> Query:
    """Some of the fields; a few of them more than once."""
    chosen = [name for name in FIELDS if rng.random() < share]
    times = {name: 3 if rng.random() < 0.05 else 1 for name in chosen}
    return {name: [_value(rng, FIELDS[name]) for _ in range(times[name])] for name in chosen}


def _value(rng: np.random.Generator, known: Field) -> str:
    if rng.random() < 0.1:
        return str(rng.choice(NONSENSE))
    if known.kind == "models":
        return ",".join(_model(rng) for _ in range(rng.choice([1, 2, 3, 6, 9])))
    if known.kind == "choice":
        return str(rng.choice(known.choices))
    if known.kind == "text":
        length = int(rng.choice([2, 40, 2000, 130_000], p=[0.2, 0.5, 0.2, 0.1]))
        return "".join(rng.choice(list(LETTERS), length))
    return _number(rng, known)


def _number(rng: np.random.Generator, known: Field) -> str:
    """Its ends, beyond them, and in between: for a range of many sizes, each as likely."""
    low, high = known.page_low, known.page_high
    if (kind := rng.random()) < 0.2:
        return str(rng.choice([low, high]))
    if kind < 0.3:
        return str(rng.choice(["-1e9", "1e9", "1e308", "-0", "9" * 400]))
    between = rng.uniform(low, high)
    if high > 100 * max(low, 1):
        between = max(low, 1) * (high / max(low, 1)) ** rng.random()
    return str(round(between) if known.kind == "int" and rng.random() < 0.9 else between)


def _model(rng: np.random.Generator) -> str:
    """A kind, and up to three settings of its own."""
    kind = str(rng.choice([*CELLS, "transformer"]))
    names = [str(name) for name in rng.choice(overrides_of(kind), 3)] if kind in CELLS else ["gain"]
    own = names[: int(rng.choice([0, 0, 1, 3]))]
    values = (_value(rng, NETWORK_FIELDS.get(name, NETWORK_FIELDS["gain"])) for name in own)
    settings = ",".join(f"{name}={value}" for name, value in zip(own, values, strict=True))
    return f"{kind}:{settings}" if settings else kind


@dataclass(frozen=True)
class Outcome:
    """What opening link `number` took, and what was wrong ("" if nothing)."""

    number: int
    address: str
    seconds: float
    bytes: int
    trouble: str


def outcomes(seed: int, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Open links, one after the other."""
    visit()  # what is loaded and computed once belongs to an idle server
    for number in numbers:
        page, query = link(seed, number)
        address = f"/{page}?{urlencode(query, doseq=True)}"
        yield Outcome(number, address, *_opened(page, query))


def _opened(page: str, query: Query) -> tuple[float, int, str]:
    """The seconds and bytes that a process takes to open a link, and what was wrong."""
    idle = psutil.Process().memory_info()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        _open(page, query, idle.vms + BYTES + ROOM, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    _, status, used = os.wait4(child, 0)
    seconds = used.ru_utime + used.ru_stime
    more = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) - idle.rss
    return seconds, more, _trouble(said, status, seconds, more)


def _trouble(said: str, status: int, seconds: float, more: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        late = number == signal.SIGXCPU
        return f"over {SECONDS} s" if late else f"killed by {signal.Signals(number).name}"
    found = [str(json.loads(said))] if said else [f"ended with status {status}"]
    if seconds > SECONDS:
        found.append(f"{seconds:.1f} s")
    if more > BYTES:
        found.append(f"{more >> 20:,} MB above idle")
    return "; ".join(filter(None, found))


class Here(Workers):
    """Work goes to it and comes back as with a worker, but takes this process's seconds and memory,
    and no process has to begin for it."""

    def begin(self, function: Callable[..., Any], *args: Any) -> Call:
        call = Call(pickle.dumps((function, args)))
        function, args = pickle.loads(call.asked)
        try:
            call.end(True, pickle.loads(pickle.dumps(function(*args))))
        except Exception as error:
            call.end(False, error)
        return call


def _open(page: str, query: Query, most: int, writing: int) -> None:
    """In the new process: open the link within the limits, say what was wrong, and end."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    trouble = ""
    here = Here(0)
    jobs.workers = lambda: here
    try:
        assert_sound(visit(page, query))
    except BaseException as error:
        trouble = f"{type(error).__name__}: {error}"
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        json.dump(trouble[:500], pipe)
    os._exit(0)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_links", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args(argv)
    broken = 0
    taken: list[tuple[float, int]] = []
    for each in outcomes(given.seed, range(given.first, given.first + given.count)):
        taken.append((each.seconds, each.bytes))
        if each.trouble:
            broken += 1
            print(f"{each.number}: {each.trouble}\n    {each.address[:1000]}", flush=True)
    seconds, size = np.array(taken, float).T
    print(f"{len(taken):,} links, {broken} broken; seconds: median {np.median(seconds):.2f}, "
          f"95 % {np.quantile(seconds, 0.95):.2f}, most {seconds.max():.2f}; "
          f"most memory {size.max() / 2**20:,.0f} MB above idle")  # fmt: skip
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
