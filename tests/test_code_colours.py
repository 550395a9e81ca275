"""Code on the pages has the colours that Pygments gives it, and no element without a colour."""

import importlib.util
import re
from pathlib import Path

import pytest
from pygments.token import STANDARD_TYPES

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
RULE = re.compile(r'data-theme="(\w+)"\] \.highlight( \.\w+)? \{ ([^}]*?) ?\}')
BLOCK = re.compile(r'<div class="highlight"><pre>.*?</pre>', re.DOTALL)
COLOURED = re.compile(r'<span class="(\w+)">[^<]')
PROMPTS = {"gp", "go", "gt"}  # told apart by the button that copies
pytestmark = pytest.mark.skipif(not SITE.is_dir(), reason="there is no site; `make book` builds it")


@pytest.fixture(scope="module")
def look():
    """Return what the site's style sheet says of a class, in a theme: a function."""
    css = (SITE / "_static" / "pygments.css").read_text(encoding="utf-8")
    said = {(theme, name.strip(" .")): how for theme, name, how in RULE.findall(css)}
    plain = {theme: re.search(r"color: (#\w+)", said[theme, ""])[1] for theme in ("light", "dark")}

    def say(theme, name):
        how = said.get((theme, name), "") if name else ""
        return how if how and how != f"color: {plain[theme]}" else "plain"

    return say


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_kind_of_token_keeps_its_look(look, theme):
    spec = importlib.util.spec_from_file_location("colours", ROOT / "web" / "ext" / "colours.py")
    colours = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(colours)
    looks = {name: look(theme, name) for name in STANDARD_TYPES.values()}
    assert len(set(looks.values())) >= 6  # the style sheet was read
    for kind, name in STANDARD_TYPES.items():
        assert looks[STANDARD_TYPES[colours.plainest(kind)]] == looks[name], kind


def test_no_element_has_the_colour_of_the_text(look):
    for page in sorted(SITE.glob("chapters/*.html")):
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        names = {name for block in blocks for name in COLOURED.findall(block)}
        plain = {name for name in names if look("light", name) == look("dark", name) == "plain"}
        assert plain <= PROMPTS, page.name
