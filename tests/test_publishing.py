"""A copy that is published says where it is and where else it runs; one that isn't keeps silent.

Most of it is asked of a small book, built with this book's configuration and the address of a
repository in it, or none.
"""

import html
import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.parse
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import pages, redirects
from PIL import Image
from test_site_links import Page, complaints_about_links
from test_site_pages import BOOK_CHECK, PHONE, WIDE, ask_axe, bring_axe, examine

ROOT = Path(__file__).resolve().parent.parent
OWNER, NAME = "Some-One", "distil.lation"
REPOSITORY = f"https://github.com/{OWNER}/{NAME}"
PUBLISHED = f"https://some-one.github.io/{NAME}/"  # GitHub's pages have lower-case hosts
CHAPTER = "chapters/01_first"
TEXT = "One sentence, with a < b. Another, which is long. " + "So long. " * 20

FIRST = """# First

* A list.

Short.

Not this.

```{csv-table}
:header-rows: 1
What,One,Two
Seconds,1,
On a small machine.,,
```
"""


def small_book(folder, repository="", hub=""):
    """Build a book of one page and one notebook, and return the folder of its site."""
    shutil.copytree(ROOT / "web", folder / "web", ignore=shutil.ignore_patterns("lite"))
    shutil.copytree(ROOT / "proofs", folder / "proofs")  # the site reads its files
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["repository"]["url"] = repository
    config["launch_buttons"]["jupyterhub_url"] = hub
    # These lead to chapters, of which it has none.
    config["sphinx"]["config"].pop("search_words", None)
    pages = config["sphinx"]["config"]["html_additional_pages"]
    config["sphinx"]["config"]["html_additional_pages"] = {
        name: page for name, page in pages.items() if not name.startswith("chapters/")
    }
    # The live notebooks take long to build, and nothing here is about them.
    if "live" in config["sphinx"]["config"]["extensions"]:
        config["sphinx"]["config"]["extensions"].remove("live")
        del config["sphinx"]["local_extensions"]["live"]
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    toc = {"format": "jb-book", "root": "chapters/index", "chapters": [{"file": CHAPTER}]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (folder / "chapters").mkdir()
    shutil.copy(ROOT / "chapters" / "references.bib", folder / "chapters")
    (folder / "chapters" / "claims.yml").write_text("[]\n", encoding="utf-8")
    front = f"# Front\n\n*A subtitle.*\n\n{TEXT}\n"
    (folder / "chapters" / "index.md").write_text(front, encoding="utf-8")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(FIRST)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, folder / f"{CHAPTER}.ipynb")
    return build(folder)


def build(folder):
    """Build a book, or what has changed of it, and return the folder of its site."""
    pytest.importorskip("jupyter_book", reason="plain Sphinx doesn't read _config.yml")
    build = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    command = [*build, folder, "-W", "--keep-going", "-n"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("published"), REPOSITORY, "https://hub.invalid/")


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("silent"))


def read(site, page):
    return (site / f"{page}.html").read_text(encoding="utf-8")


def tags(page):
    """The meta tags of a page, and its links other than style sheets: name or relation, value."""
    found = re.findall(r'<meta (?:name|property)="([^"]*)" content="([^"]*)"', page)
    links = re.findall(r"<link ([^>]*)>", page)
    pairs = [
        (re.search('rel="([^"]*)"', link), re.search('href="([^"]*)"', link)) for link in links
    ]
    found += [(rel[1], href[1]) for rel, href in pairs if rel[1] != "stylesheet"]
    return {name: html.unescape(value) for name, value in found}


def test_a_row_that_holds_a_note_alone_goes_right_across(silent):
    rows = re.findall(r"<tr.*?</tr>", read(silent, CHAPTER), re.DOTALL)
    assert [row.count("<td") for row in rows] == [0, 3, 1]
    assert '<td colspan="3"><p>On a small machine.</p></td>' in rows[-1]


# ---- Where else a notebook runs ----


def offers(site, page):
    """The addresses in the menu of a page, by name."""
    menu = re.search(r'<div id="launch".*?</ul>', read(site, page), re.DOTALL)
    found = re.findall(r'<a href="([^"]*)">.*?</?img[^>]*>(\w+)</a>', menu[0]) if menu else []
    return {name: address for address, name in found}


def test_a_notebook_can_be_opened_elsewhere(published):
    found = offers(published, CHAPTER)
    file = f"{CHAPTER}.ipynb"
    assert found.keys() == {"Binder", "JupyterHub", "Colab"}
    assert (
        found["Binder"] == f"https://mybinder.org/v2/gh/{OWNER}/{NAME}/main?urlpath=lab/tree/{file}"
    )
    assert (
        found["Colab"]
        == f"https://colab.research.google.com/github/{OWNER}/{NAME}/blob/main/{file}"
    )
    hub, _, query = found["JupyterHub"].replace("&amp;", "&").partition("?")
    assert hub == "https://hub.invalid/hub/user-redirect/git-pull"
    assert dict(urllib.parse.parse_qsl(query)) == {
        "repo": REPOSITORY,
        "branch": "main",
        "urlpath": f"lab/tree/{NAME}/{file}",
    }


def test_the_menu_says_what_colab_needs_first(published):
    line = f"%pip install -q --no-deps &#34;ipywidgets&gt;=8.1&#34; comm git+{REPOSITORY}</pre>"
    assert line in read(published, CHAPTER)


def test_a_page_leads_to_its_sources_and_to_their_issues(published):
    for page in (CHAPTER, "chapters/index"):
        assert f'href="{REPOSITORY}"' in read(published, page)
        assert f'href="{REPOSITORY}/issues/new?' in read(published, page)


def test_a_page_that_is_no_notebook_has_no_such_menu(published):
    assert "launch" not in read(published, "chapters/index").lower()


def test_no_repository_no_way_there(silent):
    for page in (CHAPTER, "chapters/index", "index", "404"):
        text = read(silent, page)
        for word in (
            "launch",
            "github.com",
            "mybinder",
            "colab",
            "canonical",
            "og:url",
            "og:image",
        ):
            assert word not in text, f"{page}: {word}"
    assert not (silent / "sitemap.xml").exists()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_menu_opens_by_keyboard_and_is_for_everyone(viewport, published, serve, browser):
    address = f"{serve(published)}{CHAPTER}.html"
    page = browser.new_page(reduced_motion="reduce", viewport=viewport)
    page.goto(address)
    menu = page.locator("#launch")
    assert not menu.is_visible()
    page.get_by_role("button", name="Run elsewhere").press("Enter")
    assert menu.is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Binder"
    page.evaluate(BOOK_CHECK)
    bring_axe(page)
    for mode in ("light", "dark"):
        page.evaluate("mode => bookCheck.setMode(mode)", mode)
        assert list(ask_axe(page, mode, colours_only=False)) == []
    edges = menu.bounding_box()
    assert edges["x"] >= 0
    assert edges["x"] + edges["width"] <= viewport["width"]
    page.keyboard.press("Escape")
    menu.wait_for(state="hidden", timeout=2000)
    page.close()


# ---- The site's own address ----


def test_a_published_site_is_sound(published, serve, browser):
    assert complaints_about_links(published) == []
    for page in (CHAPTER, "404"):
        assert examine(browser, f"{serve(published)}{page}.html") == []


@pytest.mark.parametrize("page", ["chapters/index", CHAPTER])
def test_a_page_says_where_it_is_and_what_it_looks_like(page, published):
    found = tags(read(published, page))
    assert found["canonical"] == found["og:url"] == f"{PUBLISHED}{page}.html"
    assert found["og:image"].startswith(PUBLISHED)
    with Image.open(published / found["og:image"].removeprefix(PUBLISHED)) as card:
        size = card.size
    assert size == (int(found["og:image:width"]), int(found["og:image:height"])) == (1200, 630)
    assert found["twitter:card"] == "summary_large_image"


def test_the_root_says_the_same_of_the_first_page(published):
    root, first = tags(read(published, "index")), tags(read(published, "chapters/index"))
    for name in ("description", "og:description", "og:image", "canonical"):
        assert root[name] == first[name]
    assert root["og:url"] == PUBLISHED


def test_a_description_is_the_first_sentences_that_stand_alone(published):
    assert tags(read(published, CHAPTER))["description"] == "Short."
    said = tags(read(published, "chapters/index"))["description"]
    assert said.startswith("One sentence, with a < b. Another, which is long. So long.")
    assert 180 < len(said) < 200


def test_the_sitemap_lists_the_pages(published):
    sitemap = (published / "sitemap.xml").read_text(encoding="utf-8")
    listed = re.findall("<url><loc>(.*?)</loc></url>", sitemap)
    assert listed == [f"{PUBLISHED}{page}.html" for page in (CHAPTER, "chapters/index")]


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        (REPOSITORY, PUBLISHED),
        (REPOSITORY + "/", PUBLISHED),
        (REPOSITORY + ".git", PUBLISHED),
        ("https://github.com/Some-One/some-one.github.io", "https://some-one.github.io/"),
        ("https://gitlab.com/someone/distillation", ""),
        ("", ""),
    ],
)
def test_the_address_that_github_gives(repository, address, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "web" / "ext")
    import publish

    assert publish.pages_address(repository) == address


# ---- What every copy has ----


def test_a_new_title_is_on_every_page(tmp_path):
    site = small_book(tmp_path)
    toc = tmp_path / "_toc.yml"
    contents = yaml.safe_load(toc.read_text("utf-8"))
    contents["chapters"].append({"file": "chapters/last"})
    toc.write_text(yaml.safe_dump(contents), "utf-8")
    (tmp_path / "chapters" / "last.md").write_text("# Last\n\nThe end.\n", "utf-8")
    build(tmp_path)
    assert ">First</p>" in read(site, "chapters/last")  # at its foot
    notebook = tmp_path / f"{CHAPTER}.ipynb"
    notebook.write_text(notebook.read_text("utf-8").replace("# First", "# Renamed"), "utf-8")
    build(tmp_path)
    for page in (CHAPTER, "chapters/index", "chapters/last"):
        assert "Renamed" in read(site, page)
        assert ">First</p>" not in read(site, page)
    # One page alone, too: then Sphinx reads the index of the last build, and changes its part.
    (tmp_path / "chapters" / "last.md").write_text("# Last\n\nFinale.\n", "utf-8")
    build(tmp_path)
    index = (site / "searchindex.js").read_text("utf-8")
    assert "Finale" in read(site, "chapters/last")
    assert "final" in index  # the stem of the word
    assert "Renamed" in index
    assert index.count("Search.words = ") == 1
    # And what no page's text is about: its look.
    with (tmp_path / "web/static/book.css").open("a", encoding="utf-8") as style:
        style.write("/* Changed. */\n")
    versions = [re.findall(r"book\.css\?v=(\w+)", read(site, CHAPTER))]
    build(tmp_path)
    versions.append(re.findall(r"book\.css\?v=(\w+)", read(site, CHAPTER)))
    assert (site / "_static/book.css").read_text("utf-8").endswith("/* Changed. */\n")
    assert versions[0] != versions[1]


def test_each_page_has_a_description_of_its_own(site):
    found = {
        page: tags((site / page).read_text(encoding="utf-8")).get("description")
        for page in pages(site)
        if page.startswith("chapters/") and not redirects(site / page)
    }
    assert [page for page, said in found.items() if not said] == []
    assert len(set(found.values())) == len(found)


def test_each_page_has_all_icons(site):
    for name in pages(site):
        if name == "404.html" or redirects(site / name):
            continue
        text = (site / name).read_text(encoding="utf-8")
        icons = re.findall(r'<link rel="(?:icon|apple-touch-icon)"[^>]*href="([^"]*)"', text)
        found = {(site / name).parent.joinpath(icon).resolve() for icon in icons}
        assert {path.name for path in found} == {
            "favicon.svg",
            "favicon.ico",
            "apple-touch-icon.png",
        }
        assert all(path.is_file() for path in found)


def test_the_page_for_what_is_not_found_needs_no_other_file(published):
    page = Page(read(published, "404"))
    assert [address for address, fetched in page.references if fetched] == ["data:,"]


def test_from_any_folder_that_page_leads_home(published):
    page = Page(read(published, "404"))
    links = [address for address, fetched in page.references if not fetched]
    assert links == [f"{PUBLISHED}chapters/index.html", f"{PUBLISHED}search.html"]


def test_card_and_icons_are_those_that_are_drawn(tmp_path):
    script = ROOT / "chapters" / "figures" / "card.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    for name in ("static/card.png", "extra/apple-touch-icon.png", "extra/favicon.ico"):
        pair = ROOT / "web" / name, tmp_path / Path(name).name
        stored, drawn = (Image.open(io.BytesIO(each.read_bytes())).convert("RGBA") for each in pair)
        assert stored.size == drawn.size
        # Other systems round the edges of a line otherwise, by a few of 255 shades.
        pairs = zip(stored.tobytes(), drawn.tobytes(), strict=True)
        assert sum(abs(one - other) > 8 for one, other in pairs) < len(stored.tobytes()) / 1000


# ---- What publishes it, and what runs it elsewhere ----


def workflows():
    folder = ROOT / ".github" / "workflows"
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.iterdir()
    }


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_a_workflow_may_do_no_more_than_it_must():
    for name, workflow in workflows().items():
        assert workflow["permissions"] == {"contents": "read"}, name
        for job in workflow["jobs"].values():
            proof = {"id-token": "write"}  # that it comes from here
            extra = {"github-pages": proof | {"pages": "write"}, "pypi": proof, None: {}}
            place = job.get("environment")
            place = place["name"] if isinstance(place, dict) else place
            assert job.get("permissions", {}) == extra[place]
            assert job["timeout-minutes"] <= 60


def test_a_workflow_uses_official_actions_of_one_major_version():
    used = [
        step["uses"]
        for workflow in workflows().values()
        for step in steps(workflow)
        if "uses" in step
    ]
    # And of PyPI's own, the one that needs no password.
    official = r"actions/[\w-]+@v\d+|pypa/gh-action-pypi-publish@release/v1"
    assert [action for action in used if not re.fullmatch(official, action)] == []


def test_a_workflow_runs_what_the_makefile_has():
    targets = re.findall(
        r"^(\w+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    runs = "\n".join(
        step.get("run", "") for workflow in workflows().values() for step in steps(workflow)
    )
    wanted = re.findall(r"^make (\w+)\b", runs, re.MULTILINE)
    assert {"book", "pdf", "test"} <= set(wanted)
    assert set(wanted) <= set(targets)


def test_only_the_default_branch_is_published_one_at_a_time():
    workflow = workflows()["pages"]
    when = workflow[True]  # YAML takes the word "on" for this
    assert when == {"push": {"branches": ["main"]}, "workflow_dispatch": None}
    assert workflow["concurrency"] == {"group": "pages", "cancel-in-progress": False}
    assert workflow["jobs"]["deploy"]["needs"] == "build"


def test_a_release_waits_for_its_owner_and_for_what_was_tested():
    build, publish = workflows()["release"]["jobs"].values()
    assert build["if"] == "vars.PUBLISH == 'yes'"
    assert publish["needs"] == "build"
    assert "make package ALL=1" in [step.get("run") for step in build["steps"]]


def test_every_module_has_its_mutants_tried():
    spec = importlib.util.spec_from_file_location("mutants", ROOT / ".ci" / "mutants.py")
    mutants = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutants)
    rows = workflows()["mutants"]["jobs"]["mutants"]["strategy"]["matrix"]["modules"]
    assert sorted(" ".join(rows).split()) == sorted(mutants.TESTS)
    # What they leave: a list of names, decorated functions, processes and types.
    left = {"__init__", "_files", "_processes", "_types", "laws"}
    assert {path.stem for path in (ROOT / "distill_lib").glob("*.py")} - left == set(mutants.TESTS)


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ('""', None),
        ("", None),
        ('"https://github.com/someone/distillation"', "https://github.com/someone/distillation"),
        (
            "https://github.com/someone/distillation.git # here",
            "https://github.com/someone/distillation",
        ),
    ],
)
def test_the_package_has_links_once_there_is_an_address(url, source):
    spec = importlib.util.spec_from_file_location("urls", ROOT / ".ci" / "urls.py")
    urls = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(urls)
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    found = urls.addresses(
        re.sub(r"^  url: .*", lambda _: f"  url: {url}", config, count=1, flags=re.M)
    )
    assert found.get("Source") == source
    assert set(found) == (set() if source is None else {"Source", "Issues", "Changelog"})


def test_binder_installs_what_the_notebooks_import():
    folder = ROOT / ".binder"
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    first, *names, last = [line for line in lines if not line.startswith("#")]
    assert (folder / first.removeprefix("-c ")).resolve() == ROOT / "constraints.txt"
    assert last == "-e .[figures,parallel]"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    brought = [*project["dependencies"], *extras["figures"], *extras["parallel"]]
    installed = {*names, *(re.match(r"[\w-]+", each)[0] for each in brought)}
    cells = [
        "".join(cell["source"])
        for path in (ROOT / "chapters").glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    modules = set(re.findall(r"^\s*(?:import|from) (\w+)", "\n".join(cells), re.MULTILINE))
    called = {"sklearn": "scikit-learn", "IPython": "ipython"}
    wanted = {called.get(module, module) for module in modules - sys.stdlib_module_names}
    assert wanted - installed == {"distill_lib"}
    python = (folder / "runtime.txt").read_text(encoding="utf-8").strip()
    least = tuple(map(int, re.search(r">=(\d+)\.(\d+)", project["requires-python"]).groups()))
    assert tuple(map(int, re.fullmatch(r"python-(\d+)\.(\d+)", python).groups())) >= least
