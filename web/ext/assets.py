"""What pages are made and shown with: a change of it is built, as a change of a text is.

Sphinx copies style sheets and scripts only where a page has changed as well; and every page names a
digest of each, by which a browser knows a new one from the one that it keeps.
"""

import hashlib
from pathlib import Path

HERE = Path(__file__).resolve().parent


def setup(app):
    app.connect("env-get-updated", stale_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def digest(config, root):
    """Return a digest of all that pages are made and shown with."""
    names = [*config.html_static_path, *config.html_extra_path, *config.templates_path, HERE]
    paths = {path for name in names for path in Path(root, name).rglob("*")}
    files = [path for path in paths if path.is_file() and path.suffix != ".pyc"]
    found = hashlib.sha256(repr([config.html_css_files, config.html_js_files]).encode())
    for path in sorted(files):
        found.update(str(path).encode() + path.read_bytes())
    return found.hexdigest()


def stale_pages(app, env):
    """Return the pages that must be written again: none, or all."""
    now = digest(app.config, app.confdir)
    before, env.book_assets = getattr(env, "book_assets", now), now
    return [] if now == before else sorted(env.found_docs)
