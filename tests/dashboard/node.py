"""The scripts of the pages, run without a browser by the Node that comes with Playwright."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import playwright

from rnnviz.dashboard.components.browser import HERE

NODE = Path(playwright.__file__).parent / "driver" / "node"
STATIC = (HERE / "static").as_uri()


def answer(imports: dict[str, str], expression: str, **values: Any) -> Any:
    """What an expression of these values comes to, which may use what is imported: name -> script
    of the pages. NaN and infinities come back as None."""
    lines = [f'import {{ {name} }} from "{STATIC}/{script}";' for name, script in imports.items()]
    lines += [f"const {name} = {json.dumps(value)};" for name, value in values.items()]
    lines.append(f"console.log(JSON.stringify({expression}));")
    args = [str(NODE), "--input-type=module", "-"]
    script = "\n".join(lines)
    said = subprocess.run(args, input=script, capture_output=True, text=True, check=True).stdout
    return json.loads(said)
