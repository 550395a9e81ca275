"""The notebooks in the reader's browser: each page leads to its own, and there it runs as stored.

To run them takes a Pyodide in the site, which is there if PYODIDE_DIST named one at the build; all
other hosts are out of reach. Five notebooks are opened, and on two cores each takes half a minute.
"""

import base64
import hashlib
import json
import os
import re
import sys
import time
import urllib.parse
import zipfile

import nbformat
import pytest
from conftest import ROOT, pages, redirects
from test_site_pages import record

CHAPTERS = {path.name: path for path in sorted((ROOT / "chapters").glob("*.ipynb"))}
EXTRA = {path.name: path for path in (ROOT / "web" / "lite").glob("*.ipynb")}
ASSIGNMENTS = {path.name: path for path in (ROOT / "course" / "student").glob("*.ipynb")}
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"
REFERENCE = r"\{(?:doc|eq|numref|ref|prf:ref|cite:[tp])\}`[^`]+`"

# On two cores a kernel is there within 20 s and a chapter has run within 30; other tests run
# beside these, and CI's machines are slower.
PATIENCE = 300_000  # milliseconds


@pytest.fixture(scope="session")
def lite(site):
    """The folder of the built JupyterLite."""
    return site / "lite"


def settings(lite):
    """What JupyterLite's kernel is told."""
    config = json.loads((lite / "jupyter-lite.json").read_text(encoding="utf-8"))
    return config["jupyter-config-data"]["litePluginSettings"][PLUGIN]


def linked_notebook(text):
    """The notebook that a page offers to run, and the address it gives for that."""
    found = re.findall(r'<p class="live"[^>]*><a href="([^"]*)">', text)
    if not found:
        return None, None
    (address,) = found
    (name,) = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)["path"]
    return name, address.partition("?")[0]


def test_each_page_leads_to_its_notebook_and_no_other_page_does(site, lite):
    listing = json.loads((lite / "api" / "contents" / "all.json").read_text(encoding="utf-8"))
    offered = {}
    for name in pages():
        if redirects(site / name):
            continue
        notebook, address = linked_notebook((site / name).read_text(encoding="utf-8"))
        if notebook:
            offered[notebook] = name
            assert ((site / name).parent / address).resolve().is_file()
            assert (lite / "files" / notebook).is_file()
    wanted = {name: f"chapters/{path.stem}.html" for name, path in (CHAPTERS | EXTRA).items()}
    assert offered == wanted
    assert {entry["name"] for entry in listing["content"]} == {*wanted, *ASSIGNMENTS}


def test_every_assignment_has_a_link_and_its_students_version_there(site, lite):
    text = (site / "chapters" / "assignments.html").read_text(encoding="utf-8")
    offered = re.findall(r'<a class="live" href="\.\./lite/[^"]*\?path=([^"]*)"', text)
    assert sorted(offered) == sorted(ASSIGNMENTS)


@pytest.mark.parametrize("name", CHAPTERS | EXTRA | ASSIGNMENTS)
def test_a_copy_is_its_notebook(name, lite):
    """But for the kernel, and for references to other pages, which are words there."""
    notebook = nbformat.read((CHAPTERS | EXTRA | ASSIGNMENTS)[name], as_version=4)
    copy = nbformat.from_dict(json.loads((lite / "files" / name).read_text(encoding="utf-8")))
    assert copy.metadata.pop("kernelspec")["name"] == "python"
    assert notebook.metadata.pop("kernelspec")["name"] == "python3"
    assert copy.metadata == notebook.metadata
    assert len(copy.cells) == len(notebook.cells)
    text = "\n\n".join(cell.source for cell in notebook.cells)
    for cell, original in zip(copy.cells, notebook.cells, strict=True):
        if cell.cell_type == "code":
            assert cell.metadata.pop("trusted")
        else:
            unchanged = re.split(REFERENCE, original.source)
            pattern = r"[^`{}]+".join(map(re.escape, unchanged))
            for reference in set(re.findall(REFERENCE, cell.source)):
                label = re.escape(reference.split("`")[1])
                assert re.search(rf":label: {label}$|^\$\$ \({label}\)$", text, re.MULTILINE)
                pattern = pattern.replace(r"[^`{}]+", rf"(?:[^`{{}}]+|{REFERENCE})")
            assert re.fullmatch(pattern, cell.source)
            original.source = cell.source
        assert cell == original


def test_what_is_loaded_with_python_is_whole(lite):
    """The wheels are those that are asked for, and hold the library as it is."""
    wheels = {path.name: path for path in (lite / "pypi").glob("*.whl")}
    asked_for = settings(lite)["loadPyodideOptions"]["packages"]
    assert {name.rpartition("/")[2] for name in asked_for if "/" in name} == set(wheels)
    # From the script that loads them: lite/extensions/@jupyterlite/NAME/static/NUMBER.js
    (static,) = (lite / "extensions" / "@jupyterlite").glob("*/static")
    assert all((static / name).resolve().is_file() for name in asked_for if "/" in name)
    for wheel in wheels.values():
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
            entries = [line.split(",") for line in archive.read(record).decode().splitlines()]
            assert sorted(entry[0] for entry in entries) == sorted(names)
            for name, checksum, size in entries:
                content = archive.read(name)
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
                if name != record:
                    assert checksum == "sha256=" + digest.rstrip(b"=").decode()
                    assert int(size) == len(content)
                if name.startswith("distill_lib/"):
                    assert content == (ROOT / name).read_bytes()
    (library,) = (path for name, path in wheels.items() if name.startswith("distill_lib-"))
    packed = {name for name in zipfile.ZipFile(library).namelist() if "dist-info" not in name}
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "distill_lib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == there
    assert "distill_lib/data/mnist01.npz" in packed


@pytest.fixture(scope="module")
def pyodide(lite):
    """Skip, unless the site has a Pyodide of its own."""
    if not (lite / "static" / "pyodide" / "pyodide.js").is_file():
        said = "the site has no Pyodide: name one in PYODIDE_DIST and run `make book`"
        (pytest.fail if os.environ.get("PYODIDE_DIST") else pytest.skip)(said)
    assert settings(lite)["pyodideUrl"] == "./static/pyodide/pyodide.js"
    assert settings(lite)["disablePyPIFallback"] is True


@pytest.fixture(scope="module")
def reader(pyodide, browser):
    """One reader's browser, with its memory."""

    def expose(route):
        """Let the tests speak to JupyterLab itself."""
        response = route.fetch()
        config = response.json()
        config["jupyter-config-data"]["exposeAppInBrowser"] = True
        route.fulfill(response=response, json=config)

    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    context.route("**/lite/jupyter-lite.json*", expose)
    yield context
    context.close()


# What a page is asked, once JupyterLab speaks to the tests.
SHOWN = """async () => {
  await jupyterapp.started;
  await jupyterapp.shell.currentWidget.context.ready;
}"""
PYTHON_IS_THERE = """async () => {
  const session = jupyterapp.shell.currentWidget.sessionContext;
  await session.ready;
  await session.session.kernel.info;
}"""
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
NOTEBOOK = "() => jupyterapp.shell.currentWidget.content.model.toJSON()"
SCROLL = "cell => jupyterapp.shell.currentWidget.content.scrollToItem(cell, 'start')"
SAVED = "() => !jupyterapp.shell.currentWidget.context.model.dirty"
FORGET = "name => jupyterapp.serviceManager.contents.delete(name)"

# Cells are shown one after another: until its target is there, a reference forward leads nowhere.
FORWARD = re.compile(r"console: (Cross reference target was not found: [\w-]+\s+)+http://127[^ ]+")

# Pyodide's Matplotlib comes with a list of fonts that another version made, and makes its own.
HARMLESS = "Matplotlib is building the font cache; this may take a moment.\n"


def open_live(reader, url, complaints):
    """Go to a page of the book, and from there to its notebook."""
    page = reader.new_page()
    page.goto(url)
    record(page, complaints)
    page.locator("p.live a").click()
    wait_until_shown(page)
    return page


def wait_until_shown(page):
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.evaluate(SHOWN)


def run(page, name, start, capfd):
    """Run the whole notebook, say how long it took, and return its code cells."""
    times = [time.monotonic() - start]
    for step in (PYTHON_IS_THERE, RUN_ALL):
        page.evaluate(step)
        times.append(time.monotonic() - start)
    with capfd.disabled():  # to stderr, which shows where tests run in parallel, too
        said = "{:.0f} s to the page, {:.0f} s to Python, {:.0f} s to the end".format(*times)
        print(f"\n{name} in the browser: {said}", file=sys.stderr)
    return code_cells(page.evaluate(NOTEBOOK))


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def errors(cells):
    """What the cells should not say, one complaint each."""
    for number, cell in enumerate(cells, start=1):
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                yield f"code cell {number}: {output['ename']}: {output['evalue']}"
            if output.get("name") == "stderr" and (said := "".join(output["text"])) != HARMLESS:
                yield f"code cell {number} warns: {said}"


def lost(page, notebook):
    """The references that lead nowhere in the end, one complaint each."""
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown" and (found := re.findall(REFERENCE, cell["source"])):
            page.evaluate(SCROLL, place)
            shown = page.locator(f".jp-Cell[data-windowed-list-index='{place}']")
            for label in {reference.split("`")[1] for reference in found}:
                link = shown.locator(f"a[href='#{label}']")
                if not any(link.count() or page.wait_for_timeout(250) for _ in range(40)):
                    yield f"cell {place}: the reference to {label} leads nowhere"


def printed(cell):
    """What a cell prints, and how its value reads; not the pictures."""
    texts = []
    for output in cell["outputs"]:
        if output.get("name") == "stdout":
            texts.append("".join(output["text"]))
        if output["output_type"] == "execute_result":
            texts.append("".join(output["data"]["text/plain"]))
    return "".join(texts)


@pytest.mark.parametrize(
    "stem", ["01_what_is_distillation", "03_closed_form_student", "05_risk_bound"]
)
def test_a_chapter_prints_in_the_browser_what_is_stored(stem, reader, address, capfd):
    complaints, start = [], time.monotonic()
    page = open_live(reader, f"{address}chapters/{stem}.html", complaints)
    cells = run(page, stem, start, capfd)
    complaints = [said for said in complaints if not FORWARD.fullmatch(said)]
    complaints += [*lost(page, page.evaluate(NOTEBOOK)), *errors(cells)]
    page.close()
    stored = code_cells(json.loads(CHAPTERS[f"{stem}.ipynb"].read_text(encoding="utf-8")))
    for number, (cell, then) in enumerate(zip(cells, stored, strict=True), start=1):
        if printed(cell) != printed(then):
            said = f"{printed(cell)}\nand not\n{printed(then)}"
            complaints.append(f"code cell {number} prints\n{said}")
    assert not complaints, "\n".join(complaints)


RUN = "article div.cell:has(> .cell_input)"


@pytest.mark.parametrize("stem", [name.removesuffix(".ipynb") for name in CHAPTERS])
def test_a_cell_runs_in_the_page_and_prints_what_is_stored(stem, pyodide, address, browser):
    """The first that prints, with those before it; then it is changed, and broken."""
    cells = code_cells(json.loads(CHAPTERS[f"{stem}.ipynb"].read_text(encoding="utf-8")))
    place = next(k for k, cell in enumerate(cells) if printed(cell))
    complaints = []
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    record(page, complaints)
    page.goto(f"{address}chapters/{stem}.html")
    assert page.locator(RUN).count() == len(cells)
    cell = page.locator(RUN).nth(place)
    cell.locator(".run").click()
    page.locator("#python-bar:not([hidden])").wait_for()
    page.locator("#python-bar[hidden]").wait_for(state="attached")
    said = cell.locator(".run-output .run-text").all_inner_texts()
    assert "".join(said).rstrip() == printed(cells[place]).rstrip()
    assert not page.locator(".run-error").count()
    for broken, answer in (("print(6 * 7)", "42"), ("print(nothing_of_this_name)", "NameError")):
        code = cell.locator(".cell_input pre")
        code.fill(broken)
        cell.locator(".run").click()
        cell.locator(".run-output .run-text", has_text=answer).wait_for()
    cell.locator(".run-back").click()
    assert cell.locator(".run-output").count() == 0
    assert complaints == []
    page.close()


def test_the_sliders_of_the_playground_move_something(reader, address, capfd):
    complaints, start = [], time.monotonic()
    page = open_live(reader, f"{address}chapters/playground.html", complaints)
    complaints += errors(run(page, "playground", start, capfd))
    places = [
        place
        for place, cell in enumerate(page.evaluate(NOTEBOOK)["cells"])
        if cell["source"].startswith("@interact")
    ]
    assert len(places) == 5
    for place in places:
        page.evaluate(SCROLL, place)
        widget = page.locator(f".jp-Cell[data-windowed-list-index='{place}'] .widget-interact")
        text = widget.locator(".jp-OutputArea-output pre")
        before = text.inner_text()
        assert re.search(r"\d", before)
        widget.locator("[role=slider]").first.press("ArrowRight")
        page.wait_for_function(
            "([text, before]) => text.isConnected ? text.innerText !== before : true",
            arg=[text.element_handle(), before],
        )
        assert re.search(r"\d", text.inner_text())
        assert widget.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
        assert text.inner_text() != before
    page.close()
    assert not complaints, "\n".join(complaints)


def test_a_change_survives_a_reload_and_can_be_taken_back(reader, address):
    # Nothing is run here, and Python, started three times, would take its time.
    reader.route("**/static/pyodide/*", lambda route: route.abort())
    name, mine = "01_what_is_distillation.ipynb", "# mine, and here to stay"
    page = open_live(reader, f"{address}chapters/{name.removesuffix('.ipynb')}.html", [])
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(mine)
    page.wait_for_function(SAVED)
    page.reload()
    wait_until_shown(page)
    assert mine in code_cells(page.evaluate(NOTEBOOK))[0]["source"]
    page.evaluate(FORGET, name)  # what the file list does with "Delete"
    page.reload()
    wait_until_shown(page)
    assert mine not in code_cells(page.evaluate(NOTEBOOK))[0]["source"]
    page.close()
    reader.unroute("**/static/pyodide/*")
