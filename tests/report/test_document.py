"""A page that stands alone: nothing in it asks for anything else."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from rnnviz.report import document
from rnnviz.report.scripts import EXPORT, IMPORT, bundled
from tests.report.opened import ADDRESS, NAMESPACE, asked_for, data_of, unpacked


@pytest.fixture(scope="module")
def page() -> str:
    return document("A & B", "<main>Said.</main>", {"n": [1, "</script>"]}, "diagnosis.js",
                    ["report.css"])  # fmt: skip


def test_the_page_holds_plotly_and_its_data(page: str) -> None:
    assert unpacked(page, "plotly") == get_plotlyjs()
    assert data_of(page) == {"n": [1, "</script>"]}
    assert "<title>A &amp; B</title>" in page


def test_nothing_else_is_asked_for(page: str) -> None:
    assert asked_for(page).found == []
    plain = re.sub(r'<script type="text/plain".*?</script>', "", page)
    assert set(ADDRESS.findall(plain)) <= {NAMESPACE}


def test_the_policy_allows_the_page_s_own_scripts_and_no_address(page: str) -> None:
    policy = dict(part.split(" ", 1) for part in asked_for(page).policy.split("; "))
    (own,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = (hashlib.sha256(code.encode()).digest() for code in (own, get_plotlyjs()))
    named = {f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes}
    assert set(policy["script-src"].split()) == named
    assert policy["default-src"] == "'none'"
    others = {name: value for name, value in policy.items() if name != "script-src"}
    assert set(" ".join(others.values()).split()) == {"'none'", "'unsafe-inline'", "data:", "blob:"}


def test_a_bundle_imports_nothing_and_has_each_module_once() -> None:
    script = bundled("diagnosis.js")
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    names = re.findall(r"^const of_(\w+) = ", script, re.MULTILINE)
    assert len(names) == len(set(names))
    assert names.index("packed") < names.index("figure") < names.index("diagnosis")


def test_what_modules_say_to_each_other_is_read() -> None:
    assert IMPORT.findall('import {\n  a,\n  b as c,\n} from "./x.js";\nimport "./y.js";\n') == [
        ("\n  a,\n  b as c,\n", "x.js"),
        ("", "y.js"),
    ]
    assert [name for _, name in EXPORT.findall("export const a = 1;\nexport class B {}")] == [
        "a",
        "B",
    ]


def test_no_page_needs_streamlit(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['streamlit'] = None; import rnnviz.diagnosis as d, rnnviz;"
        "d.diagnose(rnnviz.run(rnnviz.Experiment(hidden_size=2, seq_len=3))).html('page.html')"
    )
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=tmp_path, env=path)  # fmt: skip
    assert done.returncode == 0, done.stderr
