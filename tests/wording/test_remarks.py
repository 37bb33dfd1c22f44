"""Every remark of the analysis has its words, with its values in them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import rnnviz.analysis
import rnnviz.views
from rnnviz.analysis.remarks import Remark, Share, remark
from rnnviz.wording.remarks import remark_words
from rnnviz.wording.texts import texts

FILES = [path for part in (rnnviz.analysis, rnnviz.views)
         for path in Path(part.__file__).parent.rglob("*.py")]  # fmt: skip


def made() -> dict[str, set[str | None]]:
    """Pattern of a code -> names of its values, of every call that makes a remark."""
    trees = [ast.parse(path.read_text("utf-8")) for path in FILES]
    calls = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call)]
    found = {}
    for call in calls:
        if ast.unparse(call.func) in ("Remark", "remark") and isinstance(
            call.args[0], ast.Constant | ast.JoinedStr
        ):
            code = re.sub("{.*?}", r"\\w+", ast.unparse(call.args[0]).lstrip("f")[1:-1])
            found[code] = {keyword.arg for keyword in call.keywords}
    return found


def test_every_remark_has_its_words_and_every_text_is_a_remark_s() -> None:
    known, codes = texts("remarks"), made()
    for code in codes:
        assert [name for name in known if re.fullmatch(code, name)], code
    for name, text in known.items():
        pattern = name if name in codes else next(c for c in codes if re.fullmatch(c, name))
        values = codes[pattern]
        assert None in values or values == set(re.findall(r"\[\[(\w+)\]\]", text)), name


def test_values_are_written_for_people() -> None:
    said = remark_words(remark("single_steps", count=20, total=48_000))
    assert said == "20 of 48,000 steps of single sequences"
    assert remark_words(remark("orthogonal_weights", value=1.5)).endswith("is exactly 1.5")
    assert "the delay line initializer" in remark_words(
        remark("no_random_matrix", init="delay_line")
    )
    assert remark_words(remark("share_says", share=Share(0.999))).startswith("over 99 % of what")
    assert remark_words(Remark("last_step")) == "the last step of the first sequence"
