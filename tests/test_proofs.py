"""The formal proofs hold, say what they said, and assume nothing that isn't allowed.

Where continuous integration has no Coq of the right release, PROOFS=elsewhere says that another job
runs proofs/check.py.
"""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest
from conftest import wanting

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("proofs_check", ROOT / "proofs" / "check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)


@pytest.fixture(scope="module")
def coq():
    """Skip where there is no Coq; fail in CI, where everything is tested."""
    if shutil.which("coqc") is None:
        if os.environ.get("PROOFS") == "elsewhere":
            pytest.skip("a job of its own checks the proofs")
        wanting("no coqc found", check.CURE)


def test_the_files_state_what_the_ledger_names_and_what_is_stored():
    assert check.claimed(), "the ledger names no formal theorem"
    complaints = check.complaints_about_the_text()
    assert not complaints, "\n".join(complaints)


@pytest.mark.timeout(900)
def test_the_proofs_compile_and_assume_nothing_else(coq):
    complaints, found = check.complaints_about_the_proofs()
    assert not complaints, "\n".join(complaints)
    assert list(found) == check.claimed()


def test_every_theorem_of_the_ledger_has_a_comment():
    known = {path.name: check.read(path) for path in check.files()}
    silent = [name for file, name in check.claimed() if not known[file][name]["comment"]]
    assert silent == []


SMALL = """(** A tree of one file, without libraries. *)

Definition twice (n : nat) := n + n.

Section Halves.
Variable m : nat.
Hypothesis even : exists k, m = twice k.

(** Half of it, twice. *)
Theorem half : exists k, m = k + k.
Proof. destruct even as [k h]. exists k. exact h. Qed.

End Halves.

Theorem zero : twice 0 = 0.
Proof. reflexivity. Qed.
"""


@pytest.fixture
def tree(tmp_path):
    """A small tree with a ledger and two theorems, as stored."""
    (tmp_path / "proofs").mkdir()
    (tmp_path / "proofs" / "_CoqProject").write_text("-Q . Distillation\n")
    (tmp_path / "proofs" / "small.v").write_text(SMALL)
    (tmp_path / "chapters").mkdir()
    (tmp_path / check.LEDGER).write_text(
        "- {id: T1, coq: 'small.v::half'}\n- {id: T2}\n- {id: T3, coq: ['small.v::zero']}\n"
    )
    (tmp_path / "proofs" / "statements.txt").write_text(check.written(tmp_path))
    return tmp_path


def change(tree, old, new):
    path = tree / "proofs" / "small.v"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_sound_tree_has_no_complaint(tree):
    assert check.claimed(tree) == [("small.v", "half"), ("small.v", "zero")]
    assert check.complaints_about_the_text(tree) == []


def test_a_statement_is_read_with_what_its_section_assumes():
    found = check.read_text(SMALL)
    assert found["half"]["text"] == "Theorem half : exists k, m = k + k."
    assert found["half"]["context"][1] == "Hypothesis even : exists k, m = twice k."
    assert found["half"]["comment"] == "Half of it, twice."
    assert found["zero"]["context"] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Theorem zero", "Theorem nought", "small.v states no zero"),
        ("twice 0 = 0", "twice 0 = twice 0", "not as stored: small.v: Theorem zero"),
        ("m = twice k.", "m = twice (twice k).", "not as stored: small.v: Variable m"),
        ("n + n.", "n * 2.", "not as stored: small.v: Definition twice"),
        ("reflexivity. Qed.", "Admitted.", "small.v: Admitted"),
        ("Section Halves.", "Axiom cheap : False.\nSection Halves.", "small.v: Axiom"),
        ("Theorem zero", "(* Theorem *) Definition zero", "small.v states no zero"),
    ],
)
def test_a_change_is_seen_without_coq(tree, old, new, said):
    change(tree, old, new)
    complaints = check.complaints_about_the_text(tree)
    assert any(complaint.startswith(said) for complaint in complaints), complaints


def test_a_comment_changes_nothing(tree):
    change(tree, "exists k, m = k + k.", "exists k,\n  (* (* Admitted. *) *) m = k + k.")
    assert check.complaints_about_the_text(tree) == []


def test_with_coq_a_sound_tree_has_no_complaint(tree, coq):
    complaints, found = check.complaints_about_the_proofs(tree)
    assert complaints == []
    assert set(found.values()) == {frozenset()}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("reflexivity. Qed.", "Admitted.", "small.v: zero assumes"),
        (
            "Theorem zero",
            "Parameter cheap : False.\nTheorem zero",
            "small.v: Parameter",
        ),
        ("exists k. exact h.", "exists m. exact h.", "make -f coq.mk"),
        ("exists k, m = twice k.", "exists k, m <= twice k.", "make -f coq.mk"),
        ("Theorem zero : twice 0 = 0.", "Theorem nought : twice 0 = 0.", "coqc"),
    ],
)
def test_with_coq_a_hole_is_seen(tree, coq, old, new, said):
    change(tree, old, new)
    complaints, _ = check.complaints_about_the_proofs(tree)
    assert any(complaint.startswith(said) for complaint in complaints), complaints


def test_an_axiom_by_another_name_is_seen(tree, coq):
    change(tree, "Section Halves.", "Section Halves.\nAxiom\n cheap : twice 0 = 0.")
    change(tree, "reflexivity. Qed.", "exact cheap. Qed.")
    complaints, _ = check.complaints_about_the_proofs(tree)
    assert any("zero assumes" in complaint for complaint in complaints), complaints
