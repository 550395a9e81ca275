"""The notation page says what the chapters do, as far as a program can see. Shown to bite.

1. Each symbol of the first table stands in a formula of some chapter, in a paragraph with a word of
   its meaning; and each name in its last column stands in the code of a chapter or the library.
2. Each letter of the second table stands so in the chapter of its row.
3. Where a chapter introduces a letter ("let $h$ be a", "write $a$ for", "put $D = ...$", "the
   **span** $S$") that is in the first table, it explains it with a word of the table or by the
   table's own formula, or the letter has a row for this chapter in the second table.

Subscripts that count (w_k, x_1) and powers don't make another letter, accents and stars do. What
isn't seen: a letter that is used without being introduced, or that is introduced for something
else in words that happen to stand in the table.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS, LIBRARY = ROOT / "chapters", ROOT / "distill_lib"

# ---- Formulas, letters, words ----

GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|vartheta|kappa|lambda|mu|nu|xi|rho|varrho|sigma"
    "|tau|varphi|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Phi|Psi|Omega|ell"
)
LETTER = rf"\\(?:{GREEK})(?![A-Za-z])|(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])"
ACCENTED = rf"(?:\\(?:hat|bar|tilde) ?\{{? ?)?(?:{LETTER})"
NAMED = r"\\mathbb\{[A-Z]\}|\\mathbf\{1\}|\\operatorname\{(?:KL|Ber)\}|\\Pr(?![a-z])|\\angle"
ONE_SCRIPT = r"([_^])(\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z0-9+*-])"
SCRIPTS = rf"(?:{ONE_SCRIPT})*".replace("([_^])", "[_^]").replace(r"(\{", r"(?:\{")
SYMBOL = rf"(?:{NAMED}|{ACCENTED}\}}?){SCRIPTS}"
COUNTS = re.compile(r"[ijkncN\d+, '-]+")  # subscripts that don't make another letter
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)


def formulas(text):
    return [displayed or inline for displayed, inline in FORMULA.findall(text)]


def plain(formula):
    """Return a formula without its words and the number e, and with its letters apart."""
    formula = re.sub(r"\\(?:text|mathrm) ?\{?(\w+)\}?(?=\})", r"\1", formula)  # in a subscript
    formula = re.sub(r"\\(?:text|mathrm|begin|end)\{[^}]*\}", " ", formula)
    formula = re.sub(r"\\operatorname\{(?!KL|Ber)[^}]*\}", " ", formula)
    formula = re.sub(r"\\[,;!: ]|\\(?:big|Big)[lr]?(?![a-z])", " ", formula)
    formula = re.sub(r"\\[|]|\\[lr]?[Vv]ert", "‖", formula)
    formula = re.sub(r"(?<![A-Za-z\\])e ?\^ ?\{((?!\\top)[^{}]*)\}", r" (\1) ", formula)
    formula = re.sub(r"(?<![A-Za-z\\])e ?\^ ?([A-Za-z0-9])", r" \1 ", formula)
    parts = re.split(r"(\\[A-Za-z]+|\{[^{}]*\})", formula)  # commands and scripts stay whole
    parts[::2] = [re.sub(r"(?<=[A-Za-z])(?=[A-Za-z])", " ", part) for part in parts[::2]]
    return "".join(parts)


def letter(symbol):
    """Return what makes a symbol another one: accent, letter, star, subscripts that don't count."""
    core = re.match(rf"{NAMED}|{ACCENTED}", symbol)[0]
    if not re.match(NAMED, core):
        core = re.sub(r"[ {]", "", core)
    for mark, script in re.findall(ONE_SCRIPT, symbol):
        script = script.strip("{}")
        if mark == "^" and "star" in script:
            core += "*"
        elif "perp" in script or (mark == "_" and not COUNTS.fullmatch(script)):
            core += f"{mark}{script}"
    return core


def letters(text):
    """Return the letters in the formulas of a text."""
    found = re.findall(SYMBOL, " ".join(map(plain, formulas(text))))
    return {letter(symbol) for symbol in found}


DULL = """that this with from what which where when than then them they their there here have been
were such each other same more most less very some only into onto also both between about over under
number numbers vector vectors function value values matrix"""


def words(text):
    """Return the words of a text that say something, by their first five characters."""
    text = re.sub(r"^\s*`{3,}(?:\{[\w:]+\})?", " ", text, flags=re.MULTILINE)  # of a directive
    text = re.sub(r"`[^`]+`", " ", FORMULA.sub(" ", text))
    return {word[:5] for word in re.findall(r"[a-z]{4,}", text.lower()) if word not in DULL.split()}


# ---- The page ----


def tables(page):
    """Return the rows of each list-table of a page, each a list of cells, without the header."""
    found = []
    for block in re.findall(r"^```\{list-table\}.*?^```$", page, re.MULTILINE | re.DOTALL):
        _, _, *rows = re.split(r"^\* - ", block.rstrip("`\n"), flags=re.MULTILINE)
        cells = [re.split(r"^  -(?: |$)", row, flags=re.MULTILINE) for row in rows]
        found.append([[" ".join(cell.split()) for cell in row] for row in cells])
    return found


def symbols(cell):
    """Return the letter that each formula of a cell begins with, if it begins with one."""
    begins = (re.match(rf"\s*({SYMBOL})", plain(formula)) for formula in formulas(cell))
    return [letter(found[1]) for found in begins if found]


# ---- The chapters ----


def the_chapters(folder=CHAPTERS):
    """Return by each chapter's number the paragraphs of its text, and its code."""
    found = {}
    for path in sorted(folder.glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        found[int(path.name[:2])] = paragraphs("\n\n".join(texts)), "\n".join(code)
    return found


def paragraphs(text):
    """Return the paragraphs; a displayed formula belongs to the text before it and after it."""
    text = re.sub(r"\n\s*\n(?=\$\$)", "\n", text)
    text = re.sub(r"(?<=\$\$)((?: \([\w-]+\))?)\n\s*\n", r"\1\n", text)
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


NAME = rf"\$({SYMBOL})"
ARGUMENT = r"(?:\([^$=]*?\))?"
A_THING = r"(?:an? |any |the (?!same\b))"  # not "let it be uniform"
INTRODUCED = [
    rf"\b[Ll]et {NAME}[^$]*\$ be {A_THING}",
    rf"\b[Ww]rite {NAME}{ARGUMENT}\$ for\b",
    rf"\b(?:[Ll]et|[Ww]rite|[Pp]ut|[Aa]bbreviate) {NAME}{ARGUMENT} ?= ?([^$]+)\$",
    rf"(?:^|[.:;,] )(?:[Hh]ere |where |and )?{NAME}{ARGUMENT}\$ (?:is|are|denotes) {A_THING}",
    rf"\*\*[\w -]+\*\* {NAME}",
    rf"\b[Cc]all (?:it )?{NAME}{ARGUMENT}\$",
]


def introductions(paragraph):
    """Yield each letter that a paragraph introduces, its formula if any, and the sentence."""
    text = " ".join(paragraph.split())
    for pattern in INTRODUCED:
        for found in re.finditer(pattern, text):
            formula = (found.groups()[1:] or ("",))[0]
            within = re.findall(SYMBOL, plain(formula))
            # "Let n = 1", "put b = c", "w(0) = w_0": a value of the letter, and no other letter.
            if formula and (len(within) < 2 or letter(within[0]) == letter(found[1])):
                continue
            start = max(text.rfind(". ", 0, found.start()) + 1, 0)
            end = text.find(". ", found.end())
            yield letter(found[1]), formula, text[start : end if end > 0 else None].strip()


# ---- The complaints ----


def complaints(page, chapters, library=""):
    """Return all in which a notation page and the chapters disagree."""
    main, other = tables(page)
    meanings, elsewhere = {}, {}
    for row in main:
        for symbol in symbols(row[0]):
            meanings[symbol] = f"{meanings.get(symbol, '')} {row[0]} {row[1]}"
    said = []
    for symbol, meaning in meanings.items():
        if not any(explains(symbol, meaning, texts) for texts, _ in chapters.values()):
            said.append(f"{symbol}: in no chapter, with a word of its meaning")
    code = "\n".join([library, *(code for _, code in chapters.values())])
    for row in main:
        for name in re.findall(r"`([^`]+)`", re.sub(r"\{[\w:]+\}`[^`]+`", "", row[-1])):
            last = re.match(r"(?:\w+\.)*(\w+)", name)[1]
            if not re.search(rf"\b{last}\b", code):
                said.append(f"`{name}`: in no chapter's code")
    for chapter, cell, meaning in other:
        for symbol in symbols(cell):
            elsewhere.setdefault(int(chapter), set()).add(symbol)
            if not explains(symbol, meaning, chapters[int(chapter)][0]):
                said.append(f"chapter {chapter}, {symbol}: not there, with a word of its meaning")
    for chapter, (texts, _) in chapters.items():
        found = (each for text in texts for each in introductions(text))
        for symbol, formula, sentence in found:
            if symbol in meanings and symbol not in elsewhere.get(chapter, ()):
                known = meanings[symbol]
                if not (words(known) & words(sentence) or stated(formula, known)):
                    said.append(f"chapter {chapter}, {symbol}: introduced otherwise: {sentence}")
    return said


def explains(symbol, meaning, texts):
    """Whether a paragraph has a symbol in a formula, and a word of its meaning."""
    wanted = words(meaning)
    return any(symbol in letters(text) and words(text) & wanted for text in texts)


def stated(formula, known):
    """Whether the table has the very formula that a chapter introduces a letter by."""
    one, all_of_it = (
        re.sub(r"_(?:[ijk\d]|\{[ijk\d]\})|\s", "", plain(text)) for text in (formula, known)
    )
    return bool(one) and one.rstrip(",.;") in all_of_it


def test_the_notation_page_and_the_chapters_agree():
    page = (CHAPTERS / "notation.md").read_text(encoding="utf-8")
    library = [path.read_text(encoding="utf-8") for path in sorted(LIBRARY.glob("*.py"))]
    said = complaints(page, the_chapters(), "\n".join(library))
    assert not said, "\n".join(said)


# ---- A small book ----

PAGE = """# Notation

```{list-table} Symbols.
:header-rows: 1

* - Symbol
  - Meaning
  - In the code
* - $w^\\star$, $\\hat w$
  - the teacher, and its projection
  - `w_teacher`
* - $h$
  - hidden part of the teacher, $w^\\star - \\hat w$
  -
* - $r_{\\text{sharp}}$
  - largest safe radius
  - {py:obj}`radius <a.b>`, `np.eye(d)`
```

More.

```{list-table} Elsewhere.
:header-rows: 1

* - Chapter
  - Letter
  - Meaning there
* - 2
  - $h$, $\\Delta$
  - half of an interval
```
"""
BOOK = {
    1: (
        [
            "The teacher is $w^\\star$, and $\\hat{w}$ its projection.",
            "Write $h = w^\\star - \\hat w$. Let $h$ be the hidden one. Let $h = 1$.",
            "A radius of $x_1 < r_{\\text{sharp}}$ is safe.",
        ],
        "w_teacher = np.eye(d)[0]",
    ),
    2: (["Let $h$ be an interval, and $\\Delta_1$ its half.", "Let $\\hat w$ be unique."], ""),
}


def with_text(text, chapter=1):
    texts, code = BOOK[chapter]
    return BOOK | {chapter: ([*texts, text], code)}


def test_a_sound_book_has_no_complaint():
    assert complaints(PAGE, BOOK) == []


@pytest.mark.parametrize(
    "text",
    [
        "Let $h$ be the radius.",
        "Put $h_k = u_k - v_k$.",
        "Write $h(u)$ for the slope of a chord.",
        "It is easy, where $h$ is the slope.",
        "The **slope** $h > 0$.",
        "Call it $h$.",
        "Let $\\hat w$ be an interval.",
    ],
)
def test_another_meaning_without_a_row_is_seen(text):
    (said,) = complaints(PAGE, with_text(text))
    assert "introduced otherwise" in said


@pytest.mark.parametrize(
    "text",
    [
        "Let $h$ be uniform.",
        "Put $h = h_1 + u$.",
        "Let $h_1 = u$ and $h \\ne 0$.",
        "Call $\\tilde h$ and $h^\\star$ the slopes.",
        "Let $g$ be a slope.",
        "The angle of $h$ is the slope.",
    ],
)
def test_what_introduces_no_letter_passes(text):
    assert complaints(PAGE, with_text(text)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("* - $h$\n  - hidden", "* - $g$\n  - hidden", "g: in no chapter"),
        ("the teacher, and its projection", "what it sees", "\\hatw: in no chapter"),
        ("`w_teacher`", "`teacher`", "`teacher`: in no chapter's code"),
        ("half of an interval", "twice the slope", "chapter 2, h: not there"),
        ("$h$, $\\Delta$", "$h$, $\\delta$", "chapter 2, \\delta: not there"),
        ("$h$, $\\Delta$", "$\\Delta$", "chapter 2, h: introduced otherwise"),
        ("* - 2", "* - 1", "chapter 1, h: not there"),
    ],
)
def test_a_page_that_is_wrong_is_seen(old, new, said):
    assert PAGE.count(old) == 1
    assert any(said in each for each in complaints(PAGE.replace(old, new), BOOK))


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("e^{-\\mu t} x_1 \\cdot \\hat w_k + e^u", {"\\mu", "t", "x", "\\hatw", "u"}),
        ("e_k^\\top e^+", {"e"}),
        ("\\mathbb{E} R_n = ab\\,c", {"\\mathbb{E}", "R", "a", "b", "c"}),
        ("P_\\perp w^{\\star 2}, r_{\\text{sharp}}", {"P_\\perp", "w*", "r_sharp"}),
        ("\\operatorname{KL}(y \\,\\|\\, s) \\text{ if so}", {"\\operatorname{KL}", "y", "s"}),
        ("\\operatorname{diag}(c)\\, \\|v\\|", {"c", "v"}),
    ],
)
def test_the_letters_of_a_formula(formula, found):
    assert letters(f"Some ${formula}$, and $${formula}$$ more") == found
