"""Names of the library as its users write them: risk_curve, whichever module it lives in.

Docstrings name their neighbours so, and Sphinx looks for them in the docstring's own module alone.
"""

import distill_lib


def home(app, env, node, content):
    """Link a name that Sphinx hasn't found to where the library defines it."""
    name = node.get("reftarget")
    if node.get("refdomain") != "py" or name not in distill_lib.__all__:
        return None
    full = f"{getattr(distill_lib, name).__module__}.{name}"
    python = env.get_domain("py")
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", full, node, content)


def setup(app):
    app.connect("missing-reference", home)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
