"""The scripts of a page as one.

Most of them are the dashboard's own, which a file shares: a module of `STATIC` stands in for one of
the same name there. Each module becomes a function that runs once, in the order in which they
import each other, since a browser imports nothing from a file.
"""

from __future__ import annotations

import re
from pathlib import Path

import rnnviz

STATIC = Path(__file__).parent / "static"
DASHBOARD = Path(rnnviz.__file__).parent / "dashboard"
FOLDERS = (STATIC, DASHBOARD / "components" / "static", DASHBOARD / "components", DASHBOARD)
"""Where a script or a style sheet is looked for. Read as files: the dashboard is not imported,
which needs Streamlit."""
IMPORT = re.compile(r"^import (?:\{([^}]*)\} from )?\"\./([\w.]+)\";\n", re.MULTILINE)
DEFAULT = re.compile(r"^export default ", re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:const|function|class) (\w+))", re.MULTILINE)


def source_of(name: str) -> str:
    """What is in a script or a style sheet."""
    found = (folder / name for folder in FOLDERS if (folder / name).is_file())
    return next(found).read_text("utf-8")


def bundled(name: str) -> str:
    """A script and all that it imports, as one that imports nothing."""
    order: dict[str, str] = {}
    _add(name, order)
    modules = (f"const {_variable(each)} = (() => {{\n{body}\n}})();\n"
               for each, body in order.items())  # fmt: skip
    return '"use strict";\n' + "".join(modules).replace("</script", "<\\/script")


def _add(name: str, order: dict[str, str]) -> None:
    """What a module imports, then the module."""
    source = source_of(name)
    for _, other in IMPORT.findall(source):
        if other not in order:
            _add(other, order)
    names = [named for _, named in EXPORT.findall(source)]
    if DEFAULT.search(source):
        names.append("main")
    body = EXPORT.sub(r"\1", DEFAULT.sub("const main = ", IMPORT.sub(_taken, source)))
    order[name] = f"{body}\nreturn {{ {', '.join(names)} }};"


def _taken(found: re.Match[str]) -> str:
    """An import, as names taken out of what the other module has returned."""
    names, module = found.groups()
    if names is None:
        return ""
    return f"const {{{names.replace(' as ', ': ')}}} = {_variable(module)};\n"


def _variable(name: str) -> str:
    return f"of_{name.removesuffix('.js')}"
