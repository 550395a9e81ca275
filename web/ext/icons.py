"""The theme's icons without the two thousand that no page shows.

Font Awesome, as the theme brings it, is 300 kB of letters and half of the theme's style sheet, for
some twenty icons. Once the pages are written, its fonts are cut to the icons that they use.
"""

import re
from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset
from fontTools.ttLib import TTFont

CLASS = re.compile(r"\bfa-[a-z0-9-]+")
RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+) ?"\}')
# As the theme has them: Sphinx doesn't copy again what it has copied before.
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
SHEET, FONTS = Path("styles", "pydata-sphinx-theme.css"), Path("vendor", "fontawesome", "webfonts")
# What the style sheet itself draws with one of the fonts: an icon's number where no class names it.
OWN = re.compile(r'"\\([ef][0-9a-f]{3}) ?"')
# Fonts that are already small come compressed as well; a cut one needs no other form.
COMPRESSED = re.compile(r'url\([^)]*/fontawesome/webfonts/[^)]*\.woff2\) format\("woff2"\),')


def setup(app):
    app.connect("build-finished", cut)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def cut(app, exception):
    """Leave in the style sheet and the fonts what the pages and their scripts name."""
    static = Path(app.outdir, "_static")
    if exception or app.builder.name != "html" or not (static / SHEET).is_file():
        return
    named = set()
    for file in (*Path(app.outdir).glob("*.html"), *Path(app.outdir, "chapters").glob("*.html")):
        named.update(CLASS.findall(file.read_text(encoding="utf-8")))
    for file in static.glob("scripts/*.js"):
        named.update(CLASS.findall(file.read_text(encoding="utf-8")))
    css = COMPRESSED.sub("", (THEME / SHEET).read_text(encoding="utf-8"))
    shown = {
        int(number, 16) for names, number in RULE.findall(css) if named & set(CLASS.findall(names))
    }
    css = RULE.sub(lambda rule: rule[0] if named & set(CLASS.findall(rule[1])) else "", css)
    shown.update(int(number, 16) for number in OWN.findall(css))
    (static / SHEET).write_text(css, encoding="utf-8")
    for font in (static / FONTS).iterdir():
        if font.suffix == ".ttf":
            cut_font(THEME / FONTS / font.name, shown, font)
        else:
            font.unlink()


def cut_font(file, letters, smaller):
    """Write a font with the letters of these numbers, and no others."""
    # The date of the cut would make other bytes each time.
    font = TTFont(file, recalcTimestamp=False)
    options = subset.Options(drop_tables=["GSUB", "GPOS", "GDEF", "FFTM"], hinting=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=letters & font.getBestCmap().keys())
    cutter.subset(font)
    font.save(smaller)
