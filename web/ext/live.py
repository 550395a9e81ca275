"""The notebooks, live in the reader's browser: JupyterLite, in the folder lite/ of the site.

The book's folder web/lite/ configures it, and holds the notebooks that are made for it alone.
Once the pages are written it is built, with these notebooks, a copy of every chapter, and the
assignments of the folder course/student/. Each page that is named like a notebook has a link to it
under its title; the role `live` makes a link to an assignment. This one file makes the links and
what they lead to, so that none is dead.

Python in the browser is Pyodide: from its usual place on the web, or, where the environment
variable PYODIDE_DIST names a folder that holds it, from a copy in the site.
"""

import base64
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import nbformat
from docutils import nodes
from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION
from sphinx import addnodes
from sphinx.errors import ExtensionError

KERNEL = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"
# What Pyodide lacks. It is loaded with Pyodide, so that no notebook must install anything.
WHEELS = ("distill_lib", "ipywidgets", "comm")
# As seen from the script that loads it: lite/extensions/@jupyterlite/NAME/static/NUMBER.js
WHEEL_URL = "../../../../pypi/{}"
ON_THE_WEB = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE_VERSION}/full/"  # as JupyterLite has it
WEB_URL = "https://cdn.jsdelivr.net/pyodide/v{version}/full/{file_name}"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first date a zip file can hold

# Where the pages are opened as files, without a server, it can't start: book.js removes the links.
LINK = """
<p class="live"{python}><a href="{href}">Run this {what} in your browser</a>{here}. Nothing to
install, and what you change there is kept.{note}</p>"""
# Python in the page itself (_static/run.js), which any cell starts.
HERE = ", or any cell right here"
PYTHON = ' data-worker="{worker}" data-pyodide="{pyodide}" data-library="{library}"'
CELL = '<div class="cell_input docutils container">\n'
BUTTON = '<button class="run" type="button">Run</button>\n'
ADDRESS = "lite/notebooks/index.html?path={}"

REFERENCE = re.compile(r"\{(doc|eq|numref|ref|prf:ref|cite:[tp])\}`([^`]+)`")
LABEL = re.compile(r"^:label: (\S+)$|^\$\$ \(([\w-]+)\)$|^\(([\w-]+)\)=$", re.MULTILINE)


def setup(app):
    # A value of the configuration, so that pages are written anew when it changes.
    app.add_config_value("pyodide_dist", os.environ.get("PYODIDE_DIST", ""), "html", str)
    app.add_role("live", link_to_assignment)
    app.connect("html-page-context", add_link)
    app.connect("build-finished", build_site)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def live_notebooks(app):
    """Return the path of each notebook that runs in the browser, by the name of its page."""
    pages = {page: Path(app.env.doc2path(page)) for page in app.env.found_docs}
    chapters = {page: path for page, path in pages.items() if path.suffix == ".ipynb"}
    extra = {path.stem: path for path in Path(app.srcdir, "web", "lite").glob("*.ipynb")}
    return chapters | {page: extra[path.stem] for page, path in pages.items() if path.stem in extra}


def assignments(app):
    """Return the path of each assignment, as students get it."""
    return sorted(Path(app.srcdir, "course", "student").glob("*.ipynb"))


def link_to_assignment(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Link to an assignment, by the name of its notebook."""
    env = inliner.document.settings.env
    if text not in {path.stem for path in assignments(env.app)}:
        return [], [inliner.reporter.error(f"no assignment is called {text}", line=lineno)]
    up = "../" * env.docname.count("/")
    html = f'<a class="live" href="{up}{ADDRESS.format(text)}.ipynb">in your browser</a>'
    return [nodes.raw("", html, format="html")], []


def add_link(app, pagename, templatename, context, doctree):
    """Put the link under the title of a page that has a notebook."""
    path = live_notebooks(app).get(pagename)
    if path is None or app.builder.name != "html":
        return
    absent = packages_not_in_the_site(app, path)
    python, here = "", ""
    if path.stem != "playground":
        where = {"worker": "python-worker.js", "library": f"lite/pypi/{library_wheel()}"}
        where = {name: context["pathto"](file, resource=True) for name, file in where.items()}
        copy = context["pathto"]("lite/static/pyodide/", resource=True)
        python = PYTHON.format(**where, pyodide=copy if pyodide_folder(app) else ON_THE_WEB)
        here = HERE
        context["body"] = context["body"].replace(CELL, CELL + BUTTON)
    link = LINK.format(
        python=python,
        here=here,
        href=context["pathto"](ADDRESS.format(path.name), resource=True),
        what="chapter" if path.stem != "playground" else "notebook",
        note=f" It also needs {' and '.join(absent)}, from the web." if absent else "",
    )
    context["body"] = context["body"].replace("</h1>", "</h1>" + link, 1)


def build_site(app, exception):
    """Build JupyterLite into the site."""
    if exception or app.builder.name != "html":
        return
    site, work = Path(app.outdir, "lite"), Path(app.outdir).parent / "lite"
    for folder in (site, work):
        shutil.rmtree(folder, ignore_errors=True)
    stage, built = work / "stage", work / "built"
    configuration = Path(app.srcdir, "web", "lite")
    shutil.copytree(configuration, stage, ignore=shutil.ignore_patterns("*.ipynb", ".*"))

    (stage / "files").mkdir()
    notebooks = [*live_notebooks(app).items(), *((None, path) for path in assignments(app))]
    for page, path in notebooks:
        copy = stage / "files" / path.name
        copy.write_text(json.dumps(live_copy(app, page, path), indent=1) + "\n", encoding="utf-8")
        shutil.copystat(path, copy)

    (stage / "pypi").mkdir()
    wheels = [make_wheel(name, stage / "pypi") for name in WHEELS]
    settings = json.loads((stage / "jupyter-lite.json").read_text(encoding="utf-8"))
    kernel = settings["jupyter-config-data"]["litePluginSettings"][PLUGIN]
    kernel["loadPyodideOptions"]["packages"] += [WHEEL_URL.format(wheel) for wheel in wheels]
    if pyodide_folder(app):
        kernel |= {"pyodideUrl": "./static/pyodide/pyodide.js", "disablePyPIFallback": True}
    (stage / "jupyter-lite.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")

    # The same notebooks give the same bytes, dates included. JupyterLite dates all that lies beside
    # its own folder, too, so that is moved to the pages when it is done.
    newest = max(int(path.stat().st_mtime) for _, path in notebooks)
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlite_core", "build", "--output-dir", str(built)],
        cwd=stage,
        env={"SOURCE_DATE_EPOCH": str(newest)} | os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise ExtensionError(f"JupyterLite was not built:\n{done.stdout.decode(errors='replace')}")
    shutil.move(built, site)
    head = (stage / "head.html").read_text(encoding="utf-8") + "  </head>"
    for page in site.glob("*/index.html"):
        text = page.read_text(encoding="utf-8").replace("</head>", head, 1)
        page.write_text(text, encoding="utf-8")
    if pyodide_folder(app):
        copy_pyodide(pyodide_folder(app), site / "static" / "pyodide")


def live_copy(app, page, path):
    """Return the notebook as it runs in the browser.

    It is the same but for its kernel, a word that its outputs may be shown (they are the book's),
    and references to other pages: a notebook alone has only words for them.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.kernelspec = KERNEL
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    own = {label for labels in LABEL.findall(text) for label in labels}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.trusted = True
        else:
            cell.source = REFERENCE.sub(
                lambda role: in_words(app, page, own, *role.groups()), cell.source
            )
    return notebook


def in_words(app, page, own, role, target):
    """Return what stands in a notebook for a reference on its page: the words that the page has."""
    if target in own:
        return f"{{{role}}}`{target}`"
    name, _, kind = role.rpartition(":")
    domain = app.env.get_domain(name or ("math" if role == "eq" else "std"))
    link = addnodes.pending_xref(
        refdoc=page, refdomain=domain.name, reftype=kind, reftarget=target, refexplicit=False
    )
    content = nodes.inline("", target)
    found = domain.resolve_xref(app.env, page, app.builder, kind, target, link, content)
    words = found.astext() if found else target
    if role == "doc":
        other = live_notebooks(app).get(f"{page.rpartition('/')[0]}/{target}")
        return f"[{words}]({other.name})" if other else words
    return words


def library_wheel():
    """Return the name of the file that holds the book's library."""
    return f"distill_lib-{metadata.version('distill_lib')}-py3-none-any.whl"


def make_wheel(name, folder):
    """Pack an installed package of pure Python, without its tests, and return the file's name.

    The same package gives the same bytes.
    """
    installed = metadata.distribution(name)
    package = Path(importlib.util.find_spec(name).origin).parent
    files = {
        path.relative_to(package.parent).as_posix(): path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and not {"__pycache__", "tests"} & set(path.parts)
    }
    about = f"{name}-{installed.version}.dist-info"
    for path in sorted(installed.files):
        if path.parts[0] == about and (path.name in {"METADATA", "WHEEL"} or len(path.parts) > 2):
            files[path.as_posix()] = path.read_binary()
    record = [
        f"{file},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{len(content)}\n"
        for file, content in files.items()
        for digest in [hashlib.sha256(content).digest()]
    ]
    files[f"{about}/RECORD"] = "".join([*record, f"{about}/RECORD,,\n"]).encode()

    wheel = folder / f"{name}-{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, content in files.items():
            archive.writestr(zipfile.ZipInfo(file, LONG_AGO), content, zipfile.ZIP_DEFLATED)
    os.utime(wheel, (0, 0))  # JupyterLite's index of wheels says when each was made
    return wheel.name


def pyodide_folder(app):
    """Return the folder that PYODIDE_DIST names (from the book's, if it is relative), or None."""
    if not app.config.pyodide_dist:
        return None
    folder = Path(app.srcdir, app.config.pyodide_dist)
    if not (folder / "pyodide-lock.json").is_file():
        raise ExtensionError(f"PYODIDE_DIST names no folder with a Pyodide in it: {folder}")
    return folder


def copy_pyodide(folder, site):
    """Copy Pyodide into the site. What the copy lacks, and a reader asks for, is on the web."""
    shutil.copytree(folder, site)
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        if not (folder / package["file_name"]).is_file():
            package["file_name"] = WEB_URL.format(**lock["info"], file_name=package["file_name"])
    (site / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")


def packages_not_in_the_site(app, path):
    """Return the names of packages that a notebook imports and the site's Pyodide lacks."""
    folder = pyodide_folder(app)
    if not folder:
        return []
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", code, re.MULTILINE))
    return [
        package["name"]
        for package in lock["packages"].values()
        if imported & set(package["imports"]) and not (folder / package["file_name"]).is_file()
    ]
