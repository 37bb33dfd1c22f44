"""Functions whose last results are kept, for all visitors; each is made once for all who ask."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from itertools import compress
from typing import ParamSpec, TypeVar, cast

import streamlit as st

from rnnviz.dashboard import jobs
from rnnviz.dashboard.memory import Memory
from rnnviz.wording.texts import language

P = ParamSpec("P")
R = TypeVar("R")


def cached(most: int, worded: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last `most` results of a function of small frozen values. An argument whose name
    begins with an underscore tells no two of them apart. worded: what is kept holds words, and is
    kept once for each language. Streamlit's own caches keep a lock for every value that they were
    ever asked for, and so grow for ever."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        name = f"{function.__module__}.{function.__qualname__}"
        tells = [not parameter.startswith("_") for parameter in signature(function).parameters]

        @wraps(function)
        def found(*args: P.args, **kwargs: P.kwargs) -> R:
            assert not kwargs, f"{name} is called with its arguments in their order"
            key = language() if worded else "", *compress(args, tells)
            made = _results(name, most).get(
                key, lambda: function(*args, **kwargs), 0, 1, jobs.courteous()
            )
            return cast(R, made)

        return found

    return wrap


@st.cache_resource(show_spinner=False)
def _results(name: str, most: int) -> Memory:
    """Those of a function: each takes one place of `most`."""
    return Memory(most)
