"""The part of distill_lib that students may use, as a library of its own."""

import ast
import importlib.util
import shutil
from pathlib import Path


def trimmed_library(modules, target):
    """Write a distill_lib into target that has these modules, what they import, and no more."""
    source = Path(importlib.util.find_spec("distill_lib").origin).parent
    wanted, kept = list(modules), {}
    while wanted:
        name = wanted.pop()
        if name not in kept:
            kept[name] = (source / f"{name}.py").read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(kept[name])):
                if isinstance(node, ast.ImportFrom) and node.module == "distill_lib":
                    wanted += [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module.startswith("distill_lib."):
                    wanted.append(node.module.removeprefix("distill_lib."))
    lines = [
        ast.unparse(node)
        for node in ast.parse((source / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.module.removeprefix("distill_lib.") in kept
    ]
    if not modules:
        lines = ["raise ImportError('this assignment is done without distill_lib')"]
    target.mkdir()
    for name, text in {"__init__": "\n".join(lines) + "\n", **kept}.items():
        (target / f"{name}.py").write_text(text, encoding="utf-8")
    if "plots" in kept:
        shutil.copy(source / "book.mplstyle", target)
