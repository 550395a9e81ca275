"""Nobody gets points without the answers, and nobody's attack touches anyone else's grade."""

import os
import re
import socket
import threading

import numpy as np
import pytest
from attacks.batch import (
    ONLY_LINUX,
    command,
    isolation,
    make_assignment,
    need_sandbox,
    notebook,
    points,
    rows,
    run,
    running_commands,
)
from attacks.corpus import ALL, ATTACKS, HONEST, NOTHING, STYLES

pytestmark = ONLY_LINUX
SECRET = "THE SECRET of the teacher's environment"
BOMB = "[" * 1_000_000  # brackets: no JSON parser should go so deep


def changed(**parts):
    """Return an honest notebook with something else in it."""
    import json

    return json.dumps(json.loads(notebook(HONEST)) | parts)


def cells(*parts):
    return changed(cells=list(parts))


CODE = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
# Files that are no honest notebook, or an honest one in odd clothes.
FILES = {
    "empty": (b"", NOTHING, "not valid JSON"),
    "binary": (bytes(range(256)) * 1000, NOTHING, "not valid JSON"),
    "nested": (BOMB, NOTHING, "not valid JSON"),
    "half": (notebook(HONEST)[:200], NOTHING, "not valid JSON"),
    "a number": ("9" * 10_000, NOTHING, "not valid JSON"),
    "a list": ("[]", NOTHING, "malformed"),
    "huge": (changed(more="x" * 25_000_000), NOTHING, "larger than 20 MB"),
    "old": (changed(nbformat=3), NOTHING, "not of nbformat 4"),
    "no cells": (changed(cells=None), NOTHING, "malformed"),
    "odd cells": (cells(1, [], None), NOTHING, "malformed"),
    "odd source": (cells(CODE | {"source": 7}), NOTHING, "malformed"),
    "odd sources": (cells(CODE | {"source": [7]}), NOTHING, "malformed"),
    "no source": (cells(CODE), NOTHING, "malformed"),
    "null bytes": (notebook(["x = '\0'", "\0", *HONEST]), ALL, ""),
    "surrogates": (notebook(["x = '\ud800'", *HONEST]), ALL, ""),
    "byte order mark": ("\ufeff" + notebook(HONEST), ALL, ""),
    # Colab stores lines or texts, its own metadata, and neither kernel nor ids.
    "colab": (
        changed(
            nbformat_minor=0,
            metadata={"colab": {"provenance": []}, "accelerator": "GPU"},
            cells=[
                {"cell_type": "markdown", "source": ["# mine"], "metadata": {"id": "x"}},
                *({"cell_type": "code", "source": h.splitlines(True)} for h in HONEST),
            ],
        ),
        ALL,
        "",
    ),
}
# Names as students choose them, and what stands in grades.csv.
NAMES = {
    "=1+2": "'=1+2",
    "+cmd|' calc'!A0": "'+cmd|' calc'!A0",
    "-2": "'-2",
    "@SUM(1)": "'@SUM(1)",
    " =1": "' =1",
    "＝1": "'＝1",
    "\t=1": r"\u0009=1",
    "a\rb": r"a\u000db",
    "two\nlines": r"two\u000alines",
    '"quoted", name': '"quoted", name',
    "Zoë Ångström": "Zoë Ångström",
    "Zoe\u0308 decomposed": "Zoë decomposed",
    "李小龍": "李小龍",
    "right\u202eleft": r"right\u202eleft",
    "not utf-8 \udcff": r"not utf-8 \udcff",
    "x..": "x..",
    "x" * 240 + "1": "x" * 240 + "1",
    "x" * 240 + "2": "x" * 240 + "2",
    "\U0001f600" * 60: "\U0001f600" * 60,
    "\x01" * 60: r"\u0001" * 60,
}


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    """All submissions, graded in one run."""
    need_sandbox()
    top = tmp_path_factory.mktemp("attacks")
    folder, handed_in, out = make_assignment(top), top / "handed in", top / "out"
    handed_in.mkdir()
    (top / "tmp").mkdir(mode=0o755)
    server = socket.create_server(("127.0.0.1", 0))
    reached = []

    def listen():
        try:
            while True:
                reached.append(server.accept())
        except OSError:
            pass

    threading.Thread(target=listen, daemon=True).start()
    port = str(server.getsockname()[1])

    for name in ("000 control", "endless control", "zzz control", *NAMES):
        (handed_in / f"{name}.ipynb").write_text(notebook(HONEST))
    for name, sources in STYLES.items():
        (handed_in / f"style {name}.ipynb").write_text(notebook(sources))
    for name, (sources, _) in ATTACKS.items():
        sources = [source.replace("PORT", port) for source in sources]
        (handed_in / f"attack {name}.ipynb").write_text(notebook(sources))
    for name, (data, _, _) in FILES.items():
        data = data if isinstance(data, bytes) else data.encode()
        (handed_in / f"file {name}.ipynb").write_bytes(data)
    (handed_in / "file link.ipynb").symlink_to(handed_in / "000 control.ipynb")
    (handed_in / "file link to nothing.ipynb").symlink_to("nowhere")
    (handed_in / "file link to a folder").symlink_to(handed_in)
    os.mkfifo(handed_in / "file pipe.ipynb")
    with socket.socket(socket.AF_UNIX) as unix:
        here = os.getcwd()
        os.chdir(handed_in)  # such a path must be short
        unix.bind("file socket.ipynb")
        os.chdir(here)
    (handed_in / "file essay.docx").write_bytes(b"PK")
    (handed_in / "file two").mkdir()
    (handed_in / "file two" / "a.ipynb").write_text(notebook(HONEST))
    (handed_in / "file two" / "b.ipynb").write_text(notebook([*HONEST, "2"]))
    (handed_in / "file twice").mkdir()
    (handed_in / "file twice" / "a.ipynb").write_text(notebook(HONEST))
    (handed_in / "file twice" / "a (1).ipynb").write_text(notebook(HONEST))
    (handed_in / "file none").mkdir()
    (handed_in / "file folder").mkdir()
    (handed_in / "file folder" / "a1 final (2).ipynb").write_text(notebook(HONEST))
    (handed_in / "file both").mkdir()
    (handed_in / "file both" / "a.ipynb").write_text(notebook(HONEST))
    (handed_in / "file both.ipynb").write_text(notebook([*HONEST, "2"]))
    (handed_in / "file x.ipynb").mkdir()
    (handed_in / "file in.ipynb" / "x.ipynb").mkdir(parents=True)
    (handed_in / ".hidden.ipynb").write_text(notebook(HONEST))

    done = run(
        command(handed_in, folder, out, "--jobs", 2, "--no-copies"),
        TEACHERS_TOKEN=SECRET,
        TMPDIR=str(top / "tmp"),
    )
    assert done.returncode == 0, done.stderr
    batch = {"rows": rows(out), "out": out, "top": top, "reached": reached}
    yield batch
    server.close()


def feedback(batch, name):
    return (batch["out"] / "feedback" / f"{name}.md").read_text(encoding="utf-8")


def test_the_corpus_is_large():
    assert len(ATTACKS) + len(FILES) >= 100
    assert len(STYLES) >= 5


@pytest.mark.parametrize("name", STYLES)
def test_every_correct_style_gets_full_marks(name, batch):
    assert points(batch["rows"][f"style {name}"]) == ALL


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_honest_part_at_most(name, batch):
    assert points(batch["rows"][f"attack {name}"]) == ATTACKS[name][1]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_or_refused_in_plain_words(name, batch):
    row = batch["rows"][f"file {name}"]
    assert points(row) == FILES[name][1]
    assert (FILES[name][2] in row["note"]) if FILES[name][2] else row["note"] == ""


@pytest.mark.parametrize(
    ("name", "scored", "said"),
    [
        ("link", NOTHING, "a symbolic link"),
        ("link to nothing", NOTHING, "a symbolic link"),
        ("link to a folder", NOTHING, "no notebook (.ipynb), only file link to a folder"),
        ("pipe", NOTHING, "not a regular file"),
        ("socket", NOTHING, ""),
        ("essay", NOTHING, "no notebook (.ipynb), only file essay.docx"),
        ("two", NOTHING, "2 notebooks handed in (a.ipynb, b.ipynb): leave one"),
        ("both", NOTHING, "2 notebooks"),
        ("none", NOTHING, "no notebook"),
        ("folder", ALL, ""),
        ("twice", ALL, ""),
        ("x", NOTHING, "no notebook (.ipynb)"),
        ("in", NOTHING, "no notebook (.ipynb)"),
    ],
)
def test_what_is_no_single_regular_file_is_refused(name, scored, said, batch):
    row = batch["rows"][f"file {name}"]
    assert points(row) == scored
    assert said in row["note"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_data(name, batch):
    assert points(batch["rows"][NAMES[name]]) == ALL


def test_everybody_has_a_page(batch):
    assert len(list((batch["out"] / "feedback").iterdir())) == len(batch["rows"])


def test_no_cell_of_the_table_is_a_formula(batch):
    text = (batch["out"] / "grades.csv").read_bytes().decode()
    assert len(text.splitlines()) == len(batch["rows"]) + 1
    for row in batch["rows"].values():
        for cell in row.values():
            assert not re.match(r"\s*[=+\-@＝＋－＠]", cell)


def test_nobody_is_left_out(batch):
    extra = 13 + 3  # other files, and the controls
    assert len(batch["rows"]) == len(ATTACKS) + len(FILES) + len(STYLES) + len(NAMES) + extra


def test_the_honest_score_as_if_they_were_alone(batch):
    for name in ("'000 control", "endless control", "zzz control"):
        row = batch["rows"][name]
        assert points(row) == ALL
        assert row["automatic"] == "6"
        assert row["essay (of 4)"] == row["note"] == ""
        assert row["isolation"] == isolation()


def test_no_process_is_left(batch):
    # The first process in a sandbox has the folder of this run in its command; without it the
    # kernel lets no other live in there.
    left = [text for text in running_commands() if str(batch["top"] / "tmp") in text]
    assert left == []
    assert list((batch["top"] / "tmp").iterdir()) == []


def test_nobody_reached_the_network(batch):
    assert batch["reached"] == []


@pytest.mark.parametrize(
    "name",
    ["memory_of_nobody", "network", "poisoned_packages", "left_for_the_next", "become_root"],
)
def test_what_an_attack_asserts_itself(name, batch):
    assert "AssertionError" not in feedback(batch, f"attack {name}")
    assert "SystemError" not in feedback(batch, f"attack {name}")
    assert "AssertionError" not in feedback(batch, "attack left_for_the_next_again")


def test_the_environment_is_not_seen(batch):
    assert "found 0 secrets" in feedback(batch, "attack environment")


def test_nothing_was_written_outside(batch):
    import tempfile
    from pathlib import Path

    assert not (Path(tempfile.gettempdir()) / "evil").exists()


def test_no_page_reveals_a_hidden_input_or_a_secret(batch):
    from attacks.hidden import QUESTIONS

    shown = (batch["out"] / "grades.csv").read_text(encoding="utf-8")
    for page in (batch["out"] / "feedback").iterdir():
        shown += page.read_text(encoding="utf-8")
    for result in (batch["out"] / "results").iterdir():
        shown += result.read_text(encoding="utf-8")
    assert SECRET not in shown
    assert "inputs: b''" in shown  # the attack that reads too early did find its way here
    for question in QUESTIONS:
        for arguments in question.hidden_cases(11):
            for number in np.concatenate([np.ravel(argument) for argument in arguments]):
                assert f"{number:.6f}"[:-1] not in shown


def test_errors_of_cells_are_cut_and_harmless(batch):
    page = feedback(batch, "attack error_flood")
    assert "ValueError: xxx" in page
    assert len(page) < 2000
