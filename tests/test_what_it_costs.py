"""The stored table of costs is complete, and what the page says of it holds in it.

Nothing is timed here: the tables are those that the scripts in benchmarks/ stored.
"""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from drawing import same_drawing

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "benchmarks" / "costs.csv"
WEIGHT = ROOT / "benchmarks" / "weight.csv"
PARALLEL = ROOT / "benchmarks" / "parallel.csv"
PAGE = ROOT / "chapters" / "what_it_costs.md"
FIGURES = ROOT / "chapters" / "figures"
SCRIPT = FIGURES / "costs.py"
ROUNDS = 5  # fewer can't outvote two busy moments

STEPPING = ["distill_lib", "distill_lib, layers", "PyTorch", "JAX", "JAX, layers multiplied first"]
DESCENTS = ["distill_lib", "distill_lib, span", "PyTorch SGD", "JAX", "JAX, compiling included"]
GROUPS = {
    "1 students": (
        [f"d = {d}" for d in (100, 500, 1000)],
        ["distill_lib", "distill_lib, risks only", "numpy lstsq", "scikit-learn", "PyTorch LBFGS"],
    ),
    "2 descent": (
        [f"n = {n}, d = 200" for n in (50, 100, 200)],
        [*DESCENTS, "scipy L-BFGS-B", "distill_lib, closed form"],
    ),
    "3 deep step": (
        [f"depth {N}, width {width}" for N in (2, 4, 8) for width in (16, 64, 256, 1024)],
        STEPPING,
    ),
    "4 risk": (
        [
            f"easiness {easiness}, d = {d}, {sizes}"
            for d in (50, 200)
            for easiness, sizes in (
                (0.25, f"n = {d // 10}"),
                (0.5, f"n = {d // 10}"),
                (0.5, f"every n from {d // 10}"),
            )
        ],
        ["distill_lib", "naive"],
    ),
    "5 margin": (
        ["n = 100, d = 200", "n = 200, d = 100", "n = 1000, d = 20"],
        ["distill_lib", "scipy nnls", "scikit-learn SVC", "scikit-learn LinearSVC"],
    ),
    "6 rate": (
        [f"d = {d}" for d in (100, 500, 1000)],
        ["distill_lib", "LAPACK QR alone", "drawing alone", "matrix multiply"],
    ),
}
LINES = [(g, case, who) for g, (cases, all_) in GROUPS.items() for case in cases for who in all_]


def the_table():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def complaints_about(rows):
    """Return all that is wrong with a table."""
    *rows, last = rows
    said = [(row["Group"], row["Case"], row["Contender"]) for row in rows]
    complaints = [f"missing: {line}" for line in LINES if line not in said]
    complaints += [f"not asked for: {line}" for line in said if line not in LINES]
    if not complaints and said != LINES:
        complaints.append("another order")
    ours = None
    for line, row in zip(said, rows, strict=True):
        seconds, ratio = float(row["Seconds"]), float(row["Ratio"])
        ours = seconds if line[2] == "distill_lib" else ours
        least, largest = map(float, row["Least to largest"].split(" to "))
        if not 0 < least <= seconds <= largest:
            complaints.append(f"{line}: the median isn't between least and largest")
        # Three numbers of three digits.
        if not ours or abs(ratio / (seconds / ours) - 1) > 0.02:
            complaints.append(f"{line}: the ratio isn't that of the seconds")
        if int(row["Rounds"]) < ROUNDS:
            complaints.append(f"{line}: {row['Rounds']} rounds")
        if not re.fullmatch(r"[\w-]+ \d[\w.+]*", row["Version"]):
            complaints.append(f"{line}: no version")
        compared = line[2] != "distill_lib" and line[0] != "6 rate"
        if compared and not float(row["Apart"] or "nan") < 1:
            complaints.append(f"{line}: not compared")
    if not re.match(rf"All: medians of {ROUNDS} rounds, one thread, Python ", last["Group"]):
        complaints.append(f"not medians of {ROUNDS} rounds: {last['Group']}")
    return complaints


class Table:
    """The numbers of a table, by group and contender, in the order of the cases."""

    def __init__(self, rows):
        self.rows = rows[:-1]

    def column(self, name, group, contender, case=""):
        """Return the entries of all cases that have these words."""
        return [
            row[name]
            for row in self.rows
            if (row["Group"], row["Contender"]) == (group, contender)
            and re.search(case, row["Case"])
        ]

    def seconds(self, *where):
        return [float(entry) for entry in self.column("Seconds", *where)]

    def ratios(self, *where):
        return [float(entry) for entry in self.column("Ratio", *where)]

    def apart(self, *where):
        return [float(entry) for entry in self.column("Apart", *where)]

    def inputs(self, contender, case):
        entries = self.column("Work", "4 risk", contender, case)
        found = [re.search(r"([\d,]+) inputs", entry)[1] for entry in entries]
        return [int(entry.replace(",", "")) for entry in found]


def one_size(t):
    """The inputs that the naive way draws for each of this library's, and its ratios."""
    drawn = zip(t.inputs("naive", ", n = "), t.inputs("distill_lib", ", n = "), strict=True)
    return [naive / ours for naive, ours in drawn], t.ratios("4 risk", "naive", ", n = ")


def shares(t, case):
    """The share of risk_curve's time that drawing and LAPACK's QR would take alone."""
    both = (t.ratios("6 rate", who, case) for who in ("LAPACK QR alone", "drawing alone"))
    return [sum(pair) for pair in zip(*both, strict=True)]


def fits(t):
    return t.ratios("1 students", "scikit-learn") + t.ratios("1 students", "PyTorch LBFGS")


def rising(values):
    return values == sorted(set(values))


def slowest(t, group, who):
    """Whether this is the slowest in each case."""
    others = [t.ratios(group, other) for other in GROUPS[group][1] if other != who]
    return all(here > max(rest) for here, *rest in zip(t.ratios(group, who), *others, strict=True))


def fastest(t, group, who):
    others = [t.ratios(group, other) for other in GROUPS[group][1] if other != who]
    return all(here < min(rest) for here, *rest in zip(t.ratios(group, who), *others, strict=True))


MULTIPLIED = "JAX, layers multiplied first"
THE_LONG_ONE = "Work", "2 descent", "distill_lib", "n = 200"
# What the page says, and what that means in the table.
CLAIMS = {
    "the two factorisations are at least thirty times faster than a solve": lambda t: (
        min(t.ratios("1 students", "numpy lstsq")) >= 30
    ),
    "their lead grows with the dimension.": lambda t: rising(t.ratios("1 students", "numpy lstsq")),
    "Fitting the labels step by step takes at least a hundred times as long.": lambda t: (
        min(fits(t)) >= 100
    ),
    "PyTorch's L-BFGS is the slowest throughout": lambda t: slowest(
        t, "1 students", "PyTorch LBFGS"
    ),
    "so badly conditioned that it would take about a million steps.": lambda t: (
        5e5 < float(re.search(r"about (\S+)$", t.column(*THE_LONG_ONE)[0])[1]) < 2e6
    ),
    "There everybody takes ten thousand.": lambda t: t.column(*THE_LONG_ONE)[0].startswith(
        "10,000 "
    ),
    "PyTorch takes at least five times as long as this library.": lambda t: (
        min(t.ratios("2 descent", "PyTorch SGD")) >= 5
    ),
    "- **JAX, once it has compiled.**": lambda t: max(t.ratios("2 descent", "JAX")) < 1,
    "The less there is to compute, the more this counts.": lambda t: rising(
        t.ratios("2 descent", "JAX")
    ),
    "Compiling included, JAX is slower in every one of these cases.": lambda t: (
        min(t.ratios("2 descent", "JAX, compiling included")) > 1
    ),
    "- **L-BFGS-B, from n = 100 on.**": lambda t: (
        max(t.ratios("2 descent", "scipy L-BFGS-B")[1:]) < 1
    ),
    "the closed form, which is faster than every other way here.": lambda t: fastest(
        t, "2 descent", "distill_lib, closed form"
    ),
    "among twelve networks it varies by less than a factor of two and a half": lambda t: (
        max(t.seconds("3 deep step", "distill_lib"))
        < 2.5 * min(t.seconds("3 deep step", "distill_lib"))
    ),
    "PyTorch takes at least ten times as long, and more than a thousand times at width 1024 from "
    "depth 4 on.": lambda t: (
        min(t.ratios("3 deep step", "PyTorch")) >= 10
        and min(t.ratios("3 deep step", "PyTorch", "[48], width 1024")) > 1000
    ),
    "JAX takes at least twice as long.": lambda t: min(t.ratios("3 deep step", "JAX")) >= 2,
    "*Told to do so, JAX leads at width 16*": lambda t: (
        max(t.ratios("3 deep step", MULTIPLIED, "width 16$")) < 1
    ),
    "At width 64 neither is three times as fast as the other.": lambda t: (
        min(t.ratios("3 deep step", MULTIPLIED, "width 64$")) > 1 / 3
        and max(t.ratios("3 deep step", MULTIPLIED, "width 64$")) < 3
    ),
    "From width 256 on JAX is at least twice as slow as this library, even so.": lambda t: (
        min(t.ratios("3 deep step", MULTIPLIED, "width (256|1024)")) >= 2
    ),
    "the naive way draws at least ten times as many inputs at a single size.": lambda t: (
        min(one_size(t)[0]) >= 10
    ),
    "the naive way takes at least 1.3 times as long.": lambda t: min(one_size(t)[1]) >= 1.3,
    "For a whole curve it takes at least five times as long": lambda t: (
        min(t.ratios("4 risk", "naive", "every")) >= 5
    ),
    "*Plain nonnegative least squares leads here, or is level.*": lambda t: (
        max(t.ratios("5 margin", "scipy nnls")) < 1.2
        and min(t.ratios("5 margin", "scipy nnls")) < 0.8
    ),
    "SVC and LinearSVC are slower in every case.": lambda t: (
        min(t.ratios("5 margin", "scikit-learn SVC")) > 1
        and min(t.ratios("5 margin", "scikit-learn LinearSVC")) > 1
    ),
    "nonnegative least squares agrees with this library to 13 digits, SVC and LinearSVC to five or "
    "more.": lambda t: (
        max(t.apart("5 margin", "scipy nnls")) <= 1e-13
        and max(t.apart("5 margin", "scikit-learn SVC")) <= 1e-5
        and max(t.apart("5 margin", "scikit-learn LinearSVC")) <= 1e-5
    ),
    "at least a quarter at d = 500, and at least two fifths at d = 1000.": (
        lambda t: (
            rising(t.ratios("6 rate", "matrix multiply"))
            and t.ratios("6 rate", "matrix multiply")[1] >= 1 / 4
            and t.ratios("6 rate", "matrix multiply")[2] >= 2 / 5
        )
    ),
    # They are parts of it: more than all is impossible, up to noise.
    "inputs and LAPACK's QR alone make up at least four fifths of the time.": lambda t: (
        min(shares(t, "d = (500|1000)")) >= 0.8 and max(shares(t, "d")) <= 1.1
    ),
}


def prose():
    return re.sub(r"\s+", " ", PAGE.read_text(encoding="utf-8"))


def test_the_table_is_complete():
    complaints = complaints_about(the_table())
    assert not complaints, "run `make bench` on a quiet machine:\n" + "\n".join(complaints)


@pytest.mark.parametrize("sentence", CLAIMS)
def test_the_page_claims_it_and_it_holds(sentence):
    assert prose().count(sentence) == 1
    assert CLAIMS[sentence](Table(the_table()))


def the_other_way_round(rows):
    """Return the table of a world in which every claim is wrong."""
    rows = [dict(row) for row in rows]
    for number, row in enumerate(rows[:-1]):
        row["Ratio"] = f"{float(row['Ratio']) ** -3:.3g}"
        if row["Contender"] == "distill_lib":
            row["Seconds"] = str(2.0**number)
        if row["Apart"]:
            row["Apart"] = "1e-02"
        row["Work"] = re.sub(r"[\d,]+ inputs", "9 inputs", row["Work"])
        row["Work"] = re.sub(r"^10,000 (.*) about .*", r"9 \1 about 3e+06", row["Work"])
    return rows


@pytest.mark.parametrize("sentence", CLAIMS)
def test_a_claim_can_be_wrong(sentence):
    assert not CLAIMS[sentence](Table(the_other_way_round(the_table())))


def swap(rows):
    rows[0], rows[1] = rows[1], rows[0]


BREACHES = {
    "a line missing": (lambda rows: rows.pop(3), "missing: "),
    "a line too many": (lambda rows: rows.insert(1, rows[1] | {"Case": "d = 7"}), "not asked for"),
    "another order": (swap, "another order"),
    "four rounds": (lambda rows: rows[4].update(Rounds="4"), ": 4 rounds"),
    "another ratio": (lambda rows: rows[2].update(Ratio="1.5"), "the ratio isn't"),
    "another median": (lambda rows: rows[2].update(Seconds="1e3"), "the median isn't"),
    "no version": (lambda rows: rows[2].update(Version="numpy"), "no version"),
    "not compared": (lambda rows: rows[2].update(Apart=""), "not compared"),
    "nobody knows how": (lambda rows: rows[-1].update(Group="All"), "not medians of"),
}


@pytest.mark.parametrize(("change", "said"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_is_seen(change, said):
    rows = the_table()
    change(rows)
    assert any(said in complaint for complaint in complaints_about(rows))


def drawn_from_the_table():
    """Return what the script has stored, by name."""
    paths = [*FIGURES.glob("costs_*.svg"), *FIGURES.glob("costs_*.csv")]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def test_the_page_shows_every_figure_and_table():
    page = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"^```\{figure\} figures/(\S+)$", page, re.MULTILINE)
    included = re.findall(r"^```\{csv-table\}.*\n:file: (\S+)$", page, re.MULTILINE)
    assert included.pop() == "../benchmarks/parallel.csv"
    assert included.pop() == "../benchmarks/weight.csv"
    shown += [path.removeprefix("figures/") for path in included]
    assert sorted(shown) == sorted(drawn_from_the_table())
    assert "{download}`costs.csv <../benchmarks/costs.csv>`" in page


def test_figures_and_short_tables_are_drawn_from_the_table(tmp_path):
    subprocess.run([sys.executable, SCRIPT, TABLE, tmp_path], check=True)
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    stored = drawn_from_the_table()
    assert drawn.keys() == stored.keys()
    for name, text in drawn.items():
        assert same_drawing(text, stored[name]) if name.endswith(".svg") else text == stored[name]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("52.511177", "52.511178", True),  # another processor
        ("L 69.", "L 70.", False),  # a bar, a point or a line elsewhere
        ("<!-- PyTorch", "<!-- PyTorck", False),  # another word
        ("fill: #0072b2", "fill: #0072b3", False),  # another colour
    ],
)
def test_a_drawing_is_compared_by_what_it_shows(old, new, same):
    svg = (FIGURES / "costs_depth.svg").read_text(encoding="utf-8")
    assert old in svg
    assert same_drawing(svg, svg.replace(old, new, 1)) == same
    # The name of a shape is a hash of its numbers.
    name = re.search(r'id="(m[0-9a-f]{10})"', svg)[1]
    assert same_drawing(svg, svg.replace(name, "m0123456789"))


@pytest.mark.parametrize("name", ["students", "descent", "deep", "risk", "margin", "rate"])
def test_the_built_page_shows_the_tables(name, site):
    html = (site / "chapters" / f"{PAGE.stem}.html").read_text(encoding="utf-8")
    (body,) = re.findall(rf'id="tab-costs-{name}".*?<tbody>(.*?)</tbody>', html, re.DOTALL)
    with (FIGURES / f"costs_{name}.csv").open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    shown = re.findall(r"<p>(.*?)</p>", body)
    assert shown == [cell for row in rows for cell in row]


def test_the_site_was_weighed():
    with WEIGHT.open(encoding="utf-8", newline="") as file:
        *rows, last = csv.reader(file)
    assert rows.pop(0) == ["What", "Amount"]
    beginnings = ["Building", "Printing", "Pages", "A page", "The largest", "JupyterLite"]
    beginnings += ["The PDF", "All the site"]
    assert len(rows) == len(beginnings)
    for (what, amount), beginning in zip(rows, beginnings, strict=True):
        assert what.startswith(beginning)
        assert float(amount) > 0
    assert last[0].startswith("With Python ")


def the_three_ways():
    """Return {what: its numbers on one process, on two, and on a cluster}, and how it was done."""
    with PARALLEL.open(encoding="utf-8", newline="") as file:
        _, *rows, last = csv.reader(file)
    ranges = [row for row in rows if row[0] == "Least to largest"]
    assert len(ranges) == 1
    rows.remove(*ranges)
    return {what: [float(x) for x in numbers if x] for what, *numbers in rows}, last[0]


WAYS = {
    "On two cores two processes are at least 1.7 times as fast as one.": lambda t: (
        t["Times as fast"][1] >= 1.7
    ),
    "A Dask cluster of two workers is at least 1.5 times as fast": lambda t: (
        t["Times as fast"][2] >= 1.5
    ),
    "scheduling takes less than 5 % of the time where a trial takes ten milliseconds.": lambda t: (
        max(t["Lost with trials of 10 ms, %"]) < 5
    ),
    "So it does for a millisecond on two processes; the cluster loses up to a tenth.": lambda t: (
        t["Lost with trials of 1 ms, %"][0] < 5 and t["Lost with trials of 1 ms, %"][1] < 10
    ),
}


@pytest.mark.parametrize("sentence", WAYS)
def test_the_page_claims_it_of_many_processes_and_it_holds(sentence):
    table, how = the_three_ways()
    assert prose().count(sentence) == 1
    assert WAYS[sentence](table)
    in_vain = {
        "Times as fast": [1, 1, 1],
        **{f"Lost with trials of {ms} ms, %": [50, 50] for ms in (1, 10)},
    }
    assert not WAYS[sentence](table | in_vain)
    one, two, cluster = table["A sweep, seconds"]
    # The medians of ratios, and the ratios of medians, of a few runs that differ by some per cent.
    assert table["Times as fast"] == pytest.approx([1, one / two, one / cluster], rel=0.1)
    assert 50 < one < 90  # a sweep of a minute
    assert re.match(rf"All: medians of {ROUNDS} rounds, Python ", how)


def test_the_predicted_cost_follows_from_what_a_trial_costs():
    table, _ = the_three_ways()
    hours = {
        d: 5 * 10**6 * table[f"A trial at d = {d}, milliseconds"][0] / 1000 / 3600
        for d in (500, 1000, 2000)
    }
    hours["all"] = sum(hours.values())
    rows = dict(re.findall(r"^\| (\d+|all) \| (\d+) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert rows == {str(d): f"{value:.0f}" for d, value in hours.items()}
    assert f"That is {hours['all'] / 48:.0f} days on two cores" in prose()
    assert f"and {hours['all'] / 64:.0f} hours on 64 cores" in prose()
    assert f"here {hours[2000] / 5 / 64:.1f} hours on 64 cores" in prose()
