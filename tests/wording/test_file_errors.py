"""Whatever is wrong with a file that somebody brought is said in the language of the page."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rnnviz import models
from rnnviz.experiment import npz
from rnnviz.models import load, read_data
from rnnviz.wording.library import translated
from rnnviz.wording.texts import speak_in
from tests.wording.test_languages import KEPT, OTHERS, WORD

NAMES = (module.name for module in walk_packages(models.__path__, "rnnviz.models."))
MODULES = [npz, *map(import_module, NAMES)]


def errors(module: ModuleType) -> set[str]:
    """What the code of a module raises, and what it says that something must be, with X for each
    value."""
    nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
    calls = [node.exc for node in nodes if isinstance(node, ast.Raise)]
    raised = {call.args[0] for call in calls if isinstance(call, ast.Call) and call.args}
    wholes = [node for node in nodes if isinstance(node, ast.JoinedStr | ast.Expr)]
    parts = {part for node in wholes for part in ast.walk(node) if part is not node}
    said = {node: literal(node, vars(module)) for node in nodes if node not in parts}
    return {text for node, text in said.items() if text and (node in raised or " must " in text)}


def literal(node: ast.AST, known: Mapping[str, Any]) -> str:
    """What a string says, with X for each value but texts that the module knows; "" of other
    nodes."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(literal(part, known) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)):
            text = known.get(name)
            return text if isinstance(text, str) and " " in text else "X"
        case ast.FormattedValue():
            return "X"
    return ""


@pytest.mark.parametrize("name", OTHERS)
def test_every_error_about_a_file_is_said_in_the_language(name: str) -> None:
    every = set().union(*map(errors, MODULES))
    said = {text: speak_in(name, lambda text=text: translated(text)) for text in every}
    assert len(every) > 100
    assert {text for text, other in said.items() if {*WORD.findall(other)} - KEPT} == set()


LSTM = {f"rnn.weight_{kind}_l0{way}": np.ones((8, 2))
        for kind in ("ih", "hh") for way in ("", "_reverse")}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("weight_hh_l0", (6, 2),
         "'rnn' 第 0 层的 weight_ih (8, 2) 和 weight_hh (6, 2) 须为行数相同的矩阵"),
        ("bias_hh_l0_reverse", (6,),
         "'rnn' 第 0 层反向的 bias_hh 须有 8 个数，每行一个，现在的形状为 (6,)"),
        ("weight_ih_l1", (8, 4),
         "'rnn'（第 1 层、方向 0）须有 weight_hh 和 weight_ih，现有：weight_ih"),
        ("weight_ih_l2", (8, 4), "'rnn'（第 1 层、方向 0）须有 weight_hh 和 weight_ih，现有：无"),
    ],
)  # fmt: skip
def test_why_weights_do_not_fit_is_said_in_the_language(
    name: str, shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(ValueError, match="must") as error:
        load({**LSTM, f"rnn.{name}": np.ones(shape)})
    assert speak_in("zh", lambda: translated(str(error.value))) == said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a\n1,5\n".encode("utf-16"), "文件须为 UTF-8 编码的 CSV 文件，第 0 字节处却为 b'\\xff'"),
        (b"\x80\x04.", "文件是 pickle，绝不载入，因为它可以运行任意代码"),
    ],
)
def test_why_data_were_not_read_is_said_in_the_language(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match="the file") as error:
        read_data(data)
    assert speak_in("zh", lambda: translated(str(error.value))) == said


def test_what_another_library_says_stays_as_it_is() -> None:
    said = "the file must be a whole HDF5 file, it is damaged (unable to open. before\nafter)"
    other = "文件须为完整的 HDF5 文件，它已损坏（unable to open. before\nafter）"
    assert speak_in("zh", lambda: translated(said)) == other
