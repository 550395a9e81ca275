"""Fonts that a PDF can hold as fonts."""

import io

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

# A TrueType font says how much its programs need; this one will have none.
UNUSED_LIMITS = (
    "maxTwilightPoints",
    "maxStorage",
    "maxFunctionDefs",
    "maxInstructionDefs",
    "maxStackElements",
    "maxSizeOfInstructions",
    "maxComponentElements",
)


def truetype(file):
    """Return a font with PostScript outlines as a TrueType font.

    Chromium embeds TrueType fonts as they are, and of all others only a drawing of each letter
    ("Type 3"), which many viewers show coarsely.
    """
    font = TTFont(file, recalcTimestamp=False)
    outlines = font.getGlyphSet()
    glyphs = {}
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(None)
        # Half a unit is a two-thousandth of the font's size: less than any printer resolves.
        outlines[name].draw(Cu2QuPen(pen, max_err=0.5, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphs, font["glyf"].glyphOrder = glyphs, font.getGlyphOrder()
    del font["CFF "]
    font["post"].formatType = 3.0
    maxp = font["maxp"]
    maxp.tableVersion, maxp.maxZones = 0x00010000, 1
    for limit in UNUSED_LIMITS:
        setattr(maxp, limit, 0)
    font.sfntVersion, font.flavor = "\0\1\0\0", None
    result = io.BytesIO()
    font.save(result)
    return result.getvalue()
