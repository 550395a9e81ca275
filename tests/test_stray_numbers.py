"""No number in a chapter's text is stray: a cell of the same chapter prints it. Shown to bite.

1. A decimal, a power of ten, a whole number from 100 on, a percentage and an angle in degrees
   are printed, or stand in the code.
2. A ratio, such as "a factor of 3" or "3 times as many", and what is only about a number (about,
   nearly, ≈) are printed, in the same section.
3. Printed means: some printed number, rounded to the digits that the text gives, is the text's.
   Where 10 itself is printed nothing is "about 10".

In words or in figures. The text is all Markdown, with formulas, statements and solutions, and
every caption and text alternative. What a number is of isn't understood: one that is printed for
something else passes. Nor are signs.
"""

import ast
import json
import math
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "chapters").glob("*.ipynb"))

# (chapter, number as the text has it): why no cell prints it
ALLOWED = {
    (
        "08_optimisation_bias",
        "0.05",
    ): "what readers report of another's figure",
}

# Not prose: roles, labels, options and addresses; years and the numbers of things. How long
# a chapter runs is known to the table of execution times.
NOT_PROSE = [
    r"(?s)<!--.*?-->",
    r"(?:\{[\w:-]+\})?`[^`\n]+`",
    r"(?m)^\s*:[\w-]+:.*$",
    r"(?<=\$\$) \([\w-]+\)",
    r"\]\([^)\s]*\)",
    r"\b(?:in|since|of|ICML) (?:19|20)\d\d\b",
    r"\b(?:Theorem|Proposition|Lemma|[Ss]ection|[Cc]hapter|Figure|Table|Step|Python) \d[\d.]*\b",
    r"(?m)^.*\*\*Time:\*\*.*$",
]

# ---- From words to figures ----

ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
ONES = f"{ONES} sixteen seventeen eighteen nineteen".split()
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
COUNTS = {word: n for n, word in enumerate(ONES, 1)} | {w: 10 * n for n, w in enumerate(TENS, 2)}
COUNTS |= {f"{t}-{o}": COUNTS[t] + COUNTS[o] for t in TENS for o in ONES[:9]}
LARGE = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6}
PARTS = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "tenth": 10}
PARTS |= {"twentieth": 20, "hundredth": 100, "thousandth": 1000, "millionth": 10**6}
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def either(words):
    return "|".join(sorted(words, key=len, reverse=True))


NUMERAL = re.compile(
    rf"\b(?:(?P<n>{either(COUNTS)})|an?)[ -](?P<large>{either(LARGE)})\b"
    rf"|\b(?:(?:(?P<m>{either(COUNTS)})|an?)[ -])?(?P<part>{either(PARTS)})s?\b"
    rf"|\b(?P<alone>{either(COUNTS)})(?:\b|(?=fold\b))",
    re.IGNORECASE,
)


def figures(numeral):
    word = {name: (found or "one").lower() for name, found in numeral.groupdict().items()}
    if numeral["large"]:
        return str(COUNTS[word["n"]] * LARGE[word["large"]])
    if numeral["part"]:
        return f"{COUNTS[word['m']]}/{PARTS[word['part']]}"
    return str(COUNTS[word["alone"]])


def in_figures(text):
    """Return a text with 11 for eleven, 2/3 for two thirds, 1000 for 1,000, 10^-3 for 10⁻³."""
    text = NUMERAL.sub(figures, re.sub(r"\s+", " ", text))
    text = re.sub("(?<=10)[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "^" + m[0].translate(SUPERSCRIPTS), text)
    text = re.sub(r"\^ ?\{ ?([-−]?\d+) ?\}", lambda m: "^" + m[1].replace("−", "-"), text)
    return re.sub(r"(?<=\d)(?:,|\{,\}|\\,)(?=\d{3}(?!\d))", "", text)


# ---- What is measured ----

FIGURES = r"(?:\d+/\d+|\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
NUMBER = re.compile(
    rf"(?<![\w.^/])(?:(?:{FIGURES} ?(?:\\cdot|\\times|·|×) ?)?10 ?\^ ?-?\d+|{FIGURES})"
    r"(?!\w*\d|[/.]\d)"
)
ABOUT = re.compile(
    r"(?:\b(?:about|nearly|almost|roughly|around|approximately)(?: an?)?(?: factor of)?|≈|\\approx)"
    r"[ $]*(?:[^\s.,$]+ ?= ?)?$",
    re.IGNORECASE,
)
FACTOR_OF = re.compile(r"\bfactor of \$?$")
MORE = re.compile(r"\$? times (?:as|more|less|\w+er)\b|-? ?fold\b")
SUM = re.compile(r"[-+] ?$")  # N - 1 times
SHARE = re.compile(r"(?: |-|\\,)?(?:\\?%|per ?cent\b)")
DEGREES = re.compile(r"\$? ?(?:°|\^ ?\{?\\circ|degrees\b)")
# In a formula: 2 in 2 \pi or 2n is a factor, not the quantity.
MULTIPLIED = re.compile(r" ?(?:\\, ?)?(?:\\(?!quad|text|dots|%|[,;:.])|[A-Za-z(^_{])")


def quantity(number):
    """Return the value of a number and what its last digit counts."""
    factors = re.split(r" ?(?:\\cdot|\\times|·|×) ?", number)
    value = unit = 1.0
    if "^" in factors[-1]:
        value = unit = 10.0 ** int(factors.pop().split("^")[1])
    for factor in factors:  # at most one is left
        if "/" in factor:
            above, below = map(int, factor.split("/"))
            return above / below, above / below / 10  # no digits: within a twentieth
        digits, _, power = factor.partition("e")
        unit *= 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
        value *= float(factor)
    return value, unit


def measured(text):
    """Yield what looks measured: number, value, what its last digit counts, its kind, and where."""
    for found in NUMBER.finditer(text):
        number, before, after = found[0], text[: found.start()], text[found.end() :]
        value, unit = quantity(number)
        multiplied = before.count("$") % 2 == 1 and MULTIPLIED.match(after)
        share = SHARE.match(after)
        kind = None
        if ABOUT.search(before[-60:]) and not multiplied and value not in (0, 1):
            kind = "about"  # "nearly one" says little
            if number.isdigit():  # 760 may stand for 764, but 100 not for 140
                unit = max(1, min(10 ** len(re.search("0*$", number)[0]), value / 10))
        elif FACTOR_OF.search(before[-60:]) or (MORE.match(after) and not SUM.search(before)):
            kind = "ratio"
        elif value >= 100 or re.search(r"[.e^]", number) or share or DEGREES.match(after):
            kind = "exact"
        if kind:
            size = 0.01 if share else 1
            yield number, value * size, unit * size, kind, f"{before[-50:]}<{number}>{after[:30]}"


# ---- What is printed, and what is in the code ----


def sections(notebook):
    """Return the text of each section, with captions and alternatives, and what its cells print."""
    texts, outputs = [""], [""]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            same, *new = re.split(r"^(?=## )", "".join(cell["source"]), flags=re.MULTILINE)
            texts[-1] += f"\n\n{same}"
            texts += new
            outputs += [""] * len(new)
            continue
        settings = cell["metadata"].get("mystnb", {})
        texts[-1] += f"\n\n{settings.get('figure', {}).get('caption', '')}"
        texts[-1] += f"\n\n{settings.get('image', {}).get('alt', '')}"
        for output in cell["outputs"]:
            shown = output.get("text", output.get("data", {}).get("text/plain", ""))
            outputs[-1] += "\n" + "".join(shown)
    return [(plain(text), numbers(output)) for text, output in zip(texts, outputs, strict=True)]


def without_code(text):
    """Return a text without its blocks of code; what stands in a directive is prose."""
    fences, kept = [], []
    for line in text.splitlines():
        fence = re.match(r"(`{3,})(.*)", line)
        if fence and fences and fence[1] == fences[-1][0] and not fence[2].strip():
            fences.pop()
        elif fence:
            fences.append((fence[1], not fence[2].startswith("{")))
        elif not any(is_code for _, is_code in fences):
            kept.append(line)
    return "\n".join(kept)


def plain(text):
    """Return a text in figures, without what isn't prose, and with one $ around a formula."""
    text = without_code(text)
    for pattern in NOT_PROSE:
        text = re.sub(pattern, " ", text)
    return in_figures(text.replace("$$", "$").replace("*", ""))


def numbers(output):
    """Return every number that is printed, and whether it is whole; 5 % is 0.05."""
    output = re.sub(r"<Figure size .*?>", "", output)
    output = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", output)
    found = re.findall(r"(\d+(?:\.\d*)?(?:e[-+]?\d+)?)( ?%| per cent)?", output)
    return [(float(number) * (0.01 if share else 1), number.isdigit()) for number, share in found]


def constants(notebook):
    """Return every number that stands in the code; comments and texts don't count."""
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = re.sub(r"^\s*[%!].*$", "", "".join(cell["source"]), flags=re.MULTILINE)
            values = [getattr(node, "value", None) for node in ast.walk(ast.parse(source))]
            found += [float(value) for value in values if type(value) in (int, float)]
    return found


def is_printed(value, unit, kind, printed):
    """Whether rounding one of the printed numbers gives the value."""
    slack = unit * (0.5 + 1e-9)  # rounding is off by half a digit at most
    return any(
        abs(other - value) <= slack and not (kind == "about" and whole and other == value)
        for other, whole in printed
    )


def strays(notebook):
    """Return each number in the text of a chapter that isn't from there, and where it stands."""
    parts, coded = sections(notebook), constants(notebook)
    everywhere = [number for _, printed in parts for number in printed]
    found = []
    for text, printed in parts:
        for number, value, unit, kind, where in measured(text):
            if kind == "exact" and any(math.isclose(value, constant) for constant in coded):
                continue
            if not is_printed(value, unit, kind, everywhere if kind == "exact" else printed):
                found.append((number, where))
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_chapter_has_no_stray_number(path):
    found = strays(json.loads(path.read_text(encoding="utf-8")))
    complaints = [where for number, where in found if (path.stem, number) not in ALLOWED]
    assert not complaints, f"{path.name}: no cell prints\n" + "\n".join(complaints)


def test_what_is_allowed_is_needed():
    found = {
        (path.stem, number)
        for path in NOTEBOOKS
        for number, _ in strays(json.loads(path.read_text(encoding="utf-8")))
    }
    assert ALLOWED.keys() <= found
    assert len(ALLOWED) <= 6


def a_notebook(text, caption="A line.", alt="A line that falls."):
    """Return a notebook of three sections with one text in the second, where the numbers are."""
    look = {"mystnb": {"figure": {"caption": caption}, "image": {"alt": alt}}}
    printed = "0.3679, 0.259, 11.23 degrees, 3.1e-07\n n  risk\n10  764\n1,797 left, 6.2%\n"
    figure = {"output_type": "display_data", "data": {"text/plain": ["<Figure size 896x462 with>"]}}
    stream = {"output_type": "stream", "text": printed.splitlines(keepends=True)}
    other = {"output_type": "stream", "text": ["elsewhere 5.43, 7.9\n"]}
    source = "%matplotlib inline\nrun(0.25, 20_000, 1e-9)  # 0.99\nprint('0.98')"

    def code(output, metadata=None):
        source_lines = source.splitlines(keepends=True)
        shared = {"cell_type": "code", "metadata": metadata or {}, "source": source_lines}
        return shared | {"outputs": output}

    return {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "# A\n\n* **Time:** 0.5 minutes"},
            code([other]),
            {"cell_type": "markdown", "metadata": {}, "source": f"Well.\n\n## B\n\n{text}"},
            code([stream, figure], look),
            {"cell_type": "markdown", "metadata": {}, "source": "## C"},
        ]
    }


SOUND = [
    "It is 0.37, or 0.368, or $0.3679$; elsewhere 5.4, so **5.43**.",
    "About 0.37, about eleven degrees, an angle of $\\alpha = 11.2^\\circ$, a factor of 0.4.",
    "Of 1,797 inputs, or $1{,}797$, 6 % are wrong: six per cent; $6.2\\%$.",
    "Down to $3.1 \\cdot 10^{-7}$, 3·10⁻⁷ or 3e-7. About 760 inputs.",
    "Parameters: a quarter is 0.25, 25 %; twenty thousand, 20,000 steps to $10^{-9}$.",
    "A number of tests, 12 of 99, two times in ten, is exempt, and so is half of them.",
    "Exact ones: $\\frac14$, $x_{10}$, $2^{128}$, $N - 3$ times as long, symmetric about 0.",
    "About $2\\, \\mathbb{E} m$, $\\approx 2n$, about $4\\pi$, nearly one, nearly orthogonal.",
    "`0.77`, {eq}`eq-0.77`, ``0.77``, [A](b-0.77.html), as in 2015, Section 3.77, Python 3.13.",
    "```python\nx = 0.77\n```\n\n<!-- 0.77 -->\n\n```{exercise}\n:label: ex-0.77\n\nSo.\n```",
    "$$\nR \\approx 2\\, x\n$$ (eq-100)\n\nAbout $2\\pi$.",
    "A factor of 10. Ten times as many. About a quarter of them.",
]
STRAY = {
    "a decimal": ("It is 0.38.", "0.38"),
    "a wrong rounding": ("It is 0.36.", "0.36"),
    "a decimal in a formula": ("$R \\approx 0.38$", "0.38"),
    "a decimal in a displayed formula": ("$$\nR = 0.38\n$$ (eq-r)", "0.38"),
    "a decimal in a solution": ("```{solution} a\n:class: dropdown\n\n0.38\n```", "0.38"),
    "in a comment of the code": ("It is 0.99.", "0.99"),
    "in a text of the code": ("It is 0.98.", "0.98"),
    "a power of ten": ("Down to $10^{-8}$.", "10^-8"),
    "a power with superscripts": ("Down to 10⁻⁸.", "10^-8"),
    "a power with another factor": ("$4 \\cdot 10^{-7}$", r"4 \cdot 10^-7"),
    "a power of the computer": ("Down to 4e-7.", "4e-7"),
    "a large number": ("Of 1,798 inputs.", "1798"),
    "a large number in words": ("Of two thousand inputs.", "2000"),
    "a size of a figure": ("Of 896 inputs.", "896"),
    "a percentage": ("7 % are wrong.", "7"),
    "a percentage in TeX": ("$7\\%$ are wrong.", "7"),
    "a percentage in words": ("Seven per cent are wrong.", "7"),
    "an angle": ("Turned by 12 degrees.", "12"),
    "an angle in words": ("Turned by twelve degrees.", "12"),
    "an angle in TeX": ("Turned by $12^\\circ$.", "12"),
    "about a whole number": ("About 12 of them.", "12"),
    "about what is printed whole": ("About 10 of them.", "10"),
    "about what is printed whole, in a formula": ("$n \\approx 764$", "764"),
    "about a number in words": ("Nearly forty-nine of them.", "49"),
    "about a round number": ("About 700 of them.", "700"),
    "about a rounder number": ("About 2,000 of them.", "2000"),
    "about a parameter": ("About 0.25 of them.", "0.25"),
    "about a fraction": ("About two thirds of them.", "2/3"),
    "about another fraction": ("About a third of them.", "1/3"),
    "about, in bold": ("About **12** of them.", "12"),
    "about a half": ("Almost half of them.", "1/2"),
    "about, in a formula": ("That is about $n = 36$.", "36"),
    "about, printed elsewhere": ("About eight of them.", "8"),
    "approximately, in a formula": ("$u \\approx 37$: it is 1.", "37"),
    "a factor": ("Less, by a factor of 3.", "3"),
    "a factor in words": ("Nearly a factor of three.", "3"),
    "times": ("It is 3 times as fast.", "3"),
    "times in words": ("It is three times faster.", "3"),
    "fold": ("A threefold gain.", "3"),
}


@pytest.mark.parametrize("text", SOUND)
def test_a_number_that_is_printed_or_exempt_passes(text):
    assert strays(a_notebook(text)) == []


@pytest.mark.parametrize(("text", "number"), STRAY.values(), ids=STRAY.keys())
def test_a_stray_number_is_seen(text, number):
    for notebook in (a_notebook(text), a_notebook("", caption=text), a_notebook("", alt=text)):
        assert [found for found, _ in strays(notebook)] == [number]


def test_what_stands_in_a_statement_and_after_it_is_prose_and_code_is_not():
    statement = (
        "````{prf:theorem} A\n:label: thm-a\n\n```{math}\na\n```\nThe risk is 0.777.\n````\n\n"
    )
    text = f"{statement}Then it is 0.888.\n\n```python\nx = 0.999\n```\n\nAnd 0.666.\n"
    assert [number for number, _ in strays(a_notebook(text))] == ["0.777", "0.888", "0.666"]
