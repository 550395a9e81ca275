"""Moodle and Canvas get back the tables that they gave, with grades; and who may have copied."""

import sys

import pytest
from attacks.batch import notebook
from conftest import ROOT, needed

from course.grader import exchange, similarity

# Columns as Moodle's grading worksheet has them (mod/assign/gradingtable.php).
WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    '"Last modified (submission)","Online text","Last modified (grade)","Feedback comments"\n'
)
MOODLE = WORKSHEET + (
    'Participant 12,"Schmidt, Anna",anna@example.org,"Submitted for grading",,100.00,Yes,'
    '"Friday, 6 November 2026, 11:59 PM","=HYPERLINK(""x"")",-,\n'
    'Participant 123,Zoë,zoe@example.org,"Submitted for grading",50.00,100.00,Yes,-,,-,Old\n'
    'Participant 7,Ben Mai,ben@example.org,"No submission",,100.00,Yes,-,,-,\n'
    'Participant 8,Cleo,cleo@example.org,"Submitted for grading",,5.00,Yes,-,,-,\n'
)
# As Canvas exports a gradebook (lib/gradebook_exporter.rb).
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Essay (11),A1 (22),Final Score\n"
    ",,,,,,,Manual Posting,\n"
    "    Points Possible,,,,,,10,100,(read only)\n"
    '"Schmidt, Anna",12,s12,anna,Group 1,,9,,90\n'
    '"Mai, Ben",7,s7,ben,Group 1,,8,,80\n'
    "Zoë,123,s123,zoe,Group 2,,7,50,70\n"
    '"Student, Test",99,,abc,Group 1,,,,\n'
)
GRADES = (
    "\ufeffstudent,automatic,total\n"
    "Anna Schmidt_12,61,77.5\n'123 Zoë_123,70,100\nBen Mai_7,40,\nCleo_8,6,6\nDora,1,1\nEve_9,2,2\n"
)


@pytest.fixture
def fill(tmp_path, capsys):
    """fill(system, table, ...) returns the exit code, the file that was made, and what was said."""
    (tmp_path / "graded" / "feedback").mkdir(parents=True)
    (tmp_path / "graded" / "grades.csv").write_text(GRADES, encoding="utf-8")
    page = tmp_path / "graded" / "feedback" / "Anna Schmidt_12.md"
    page.write_text("# a1\n\n    x < y & z\n", encoding="utf-8")

    def made(system, text, *more, encoding="utf-8"):
        table, out = tmp_path / "table.csv", tmp_path / "out.csv"
        table.write_text(text, encoding=encoding)
        options = ["--grades", str(tmp_path / "graded"), "--out", str(out), *more]
        code = exchange.main([system, str(table), *options])
        said = capsys.readouterr()
        done = out.read_bytes().decode() if out.exists() else None
        return code, done, said.out + said.err

    return made


def test_moodle(fill, tmp_path):
    code, done, said = fill("moodle", MOODLE)
    assert code == 0
    yes, graded = '"100.00","Yes"', '"Submitted for grading"'
    assert done.splitlines() == [
        '"Identifier","Full name","Email address","Status","Grade","Maximum Grade",'
        '"Grade can be changed","Last modified (submission)","Online text",'
        '"Last modified (grade)","Feedback comments"',
        f'"Participant 12","Schmidt, Anna","anna@example.org","Submitted for grading",77.5,{yes},'
        '"Friday, 6 November 2026, 11:59 PM","\'=HYPERLINK(""x"")","-",'
        '"<pre># a1<br><br>    x &lt; y &amp; z<br></pre>"',
        f'"Participant 123","Zoë","zoe@example.org",{graded},100,{yes},"-","","-","Old"',
        f'"Participant 7","Ben Mai","ben@example.org","No submission","",{yes},"-","","-",""',
        f'"Participant 8","Cleo","cleo@example.org",{graded},6,"5.00","Yes","-","","-",""',
    ]
    assert said.splitlines() == [
        f"3 grades: {tmp_path / 'out.csv'}",
        "No total yet: Ben Mai_7",
        "In place of another grade: 123 Zoë_123",
        "More than the maximum there: Cleo_8",
        "Not in the table: Dora, Eve_9",
    ]


def test_moodle_in_another_language(fill):
    text = MOODLE.replace("Grade,Maximum Grade", "Bewertung,Bestwertung").replace(
        "Identifier,Full name", "ID,Vollständiger Name"
    )
    code, done, said = fill("moodle", text)
    assert (code, done) == (1, None)
    assert "say which column with --column. There are ID, Vollständiger Name, Email" in said
    code, done, _ = fill("moodle", "\ufeff" + text, "--column", "Bewertung")
    assert code == 0
    assert done.startswith('\ufeff"ID","Vollständiger Name",')
    assert '"Submitted for grading",77.5,' in done


def test_canvas(fill, tmp_path):
    code, done, said = fill("canvas", CANVAS, "--column", "A1 (22)")
    assert code == 0
    assert done.splitlines() == [
        "Student,ID,SIS User ID,SIS Login ID,Section,A1 (22)",
        "    Points Possible,,,,,100",
        '"Schmidt, Anna",12,s12,anna,Group 1,77.5',
        "Zoë,123,s123,zoe,Group 2,100",
    ]
    assert said.splitlines() == [
        f"2 grades: {tmp_path / 'out.csv'}",
        "No total yet: Ben Mai_7",
        "In place of another grade: 123 Zoë_123",
        "Not in the table: Cleo_8, Dora, Eve_9",
    ]


def test_canvas_with_names_apart_a_mark_and_semicolons(fill):
    text = CANVAS.replace("Student,ID", "LastName,FirstName,ID", 1).replace(
        '"Schmidt, Anna"', "Schmidt,=Anna"
    )
    text = "\n".join(line for line in text.splitlines() if "Anna" in line or "Name" in line)
    code, done, _ = fill("canvas", "\ufeff" + text.replace(",", ";") + "\n", "--column", "A1 (22)")
    assert code == 0
    assert done.splitlines() == [
        "LastName;FirstName;ID;SIS User ID;SIS Login ID;Section;A1 (22)",
        "Schmidt;'=Anna;12;s12;anna;Group 1;77,5",
    ]


def test_only_the_automatic_points(fill):
    assert ',"Group' not in fill("canvas", CANVAS, "--column", "A1 (22)", "--give", "automatic")[1]
    _, done, said = fill("canvas", CANVAS, "--column", "A1 (22)", "--give", "automatic")
    assert '"Mai, Ben",7,s7,ben,Group 1,40' in done
    assert "No automatic yet" not in said


@pytest.mark.parametrize(
    ("system", "text", "more", "said"),
    [
        ("canvas", CANVAS, [], "say which column with --column. There are Essay (11), A1 (22)."),
        (
            "canvas",
            CANVAS,
            ["--column", "A1"],
            "say which column with --column. There are Student,",
        ),
        ("canvas", "Student,A1 (22)\nx,1\n", [], "is no gradebook of Canvas: it has no columns ID"),
        ("canvas", CANVAS, ["--give", "sum"], "grades.csv has no columns student and sum."),
        ("canvas", CANVAS, ["--give", "student"], "student is 'Anna Schmidt_12' is no number."),
        ("moodle", WORKSHEET, [], "None of the graded students is in "),
        ("moodle", "", [], "say which column with --column."),
        ("moodle", 'a,"b\n', [], "can't be read: it is no CSV file"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(system, text, more, said, fill):
    code, done, line = fill(system, text, *more)
    assert (code, done) == (1, None)
    assert said in line and len(line.splitlines()) == 1


def test_a_table_that_is_not_there(tmp_path, capsys):
    gone = str(tmp_path / "nothing.csv")
    code = exchange.main(["moodle", gone, "--grades", str(tmp_path), "--out", str(tmp_path / "x")])
    assert code == 1
    assert capsys.readouterr().err == (
        f"{tmp_path / 'grades.csv'} can't be read: No such file or directory.\n"
    )


# Who may have copied

MINE = """
def soft_labels(X, w_teacher):
    logits = X @ w_teacher
    answers = []
    for logit in logits:
        if logit > 0:
            answers.append(1 / (1 + np.exp(-logit)))
        else:
            answers.append(np.exp(logit) / (1 + np.exp(logit)))
    return np.array(answers)
"""
# The same with other names, and something else.
THEIRS = MINE.replace("logit", "z").replace("answers", "out").replace("soft_labels", "soft")
ELSE = """
def soft_labels(X, w_teacher):
    from scipy.special import expit
    return expit(X.dot(w_teacher))


def helper(count):
    while count > 1:
        count = 3 * count + 1 if count % 2 else count // 2
        yield {"count": count}
"""


def compare(tmp_path, capsys, **notebooks):
    handed_in = tmp_path / "handed in"
    handed_in.mkdir()
    for name, cells in notebooks.items():
        (handed_in / f"{name}.ipynb").write_text(notebook(cells), encoding="utf-8")
    (handed_in / "pdf.pdf").write_text("x")
    out = tmp_path / "new" / "similarity.html"
    options = ["--assignment", "a1_closed_form", "--private", str(tmp_path), "--out", str(out)]
    code = similarity.main([str(handed_in), *options])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err, out


def test_similarity(tmp_path, capsys):
    needed("copydetect")
    # The public way to judge answers, pasted.
    oracles = (ROOT / "course" / "a1_closed_form" / "hidden.py").read_text(encoding="utf-8")
    notebooks = {"anna": [MINE], "b<i>n": [THEIRS], "cleo": [ELSE], "dora": [oracles]}
    code, lines, _, out = compare(tmp_path, capsys, **notebooks)
    assert code == 0
    assert [line.split("%  ")[1] for line in lines[:-1]] == [
        "4 dora  course_a1_closed_form_hidden.py",
        "1 anna  2 b_i_n",
    ]
    assert lines[-1] == f"2 pairs above 50%: {out}"
    page = out.read_text(encoding="utf-8")
    assert "https:" not in page and "<i>n" not in page and "def soft(X, w_teacher)" in page


def test_without_copydetect_similarity_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "copydetect", None)  # importing it fails
    code, _, said, out = compare(tmp_path, capsys, anna=[MINE])
    assert code == 1 and not out.exists()
    assert said == (
        "copydetect isn't installed: pip install -r requirements/similarity.txt "
        "(make similarity does it).\n"
    )
