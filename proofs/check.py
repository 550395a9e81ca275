"""Compile the formal proofs, and say what each theorem of the ledger assumes.

    python proofs/check.py                compile, compare with statements.txt, print a table
    python proofs/check.py --store        and write what the theorems say into statements.txt

Everything is made in _build/proofs; the tree stays as it is. A theorem of the ledger (the column
``coq`` of claims.yml) must exist, say what it said when it was stored, and assume nothing but
what ALLOWED names. So must the definitions that the statements are made of.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
LEDGER = "chapters/claims.yml"
# The package of the files: linear.v is Distillation.linear for Coq.
PACKAGE = "Distillation"
CURE = (
    "install Coq, on Debian: apt-get install coq libcoq-mathcomp-analysis "
    "libcoq-mathcomp-algebra-tactics"
)
# What a theorem may assume. Ordered fields need nothing. The real numbers of mathcomp-analysis are
# classical: they rest on these three, which its file boolp.v states.
ALLOWED = {
    "boolp.propositional_extensionality",
    "boolp.functional_extensionality_dep",
    "boolp.constructive_indefinite_description",
}
# Words that let a file say more than it proves.
FORBIDDEN = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjectures?|Declare Module|Declare Axiom"
    r"|Unset (?:Guard|Positivity|Universe) Checking|bypass_check|Abort)\b"
)
STATED = "Theorem|Lemma|Corollary|Proposition|Fact|Remark"
DEFINED = (
    "Definition|Fixpoint|Inductive|Record|Notation|Structure|Variant|CoFixpoint|Class|Instance"
)
ASSUMED = "Variables?|Hypothes[ie]s|Context|Let"


class ProofError(Exception):
    """Something is wrong with the proofs; the message says what."""


def without_comments(text):
    """Return Coq text with its comments, which may be nested, as blanks; lines stay."""
    kept, depth, at = [], 0, 0
    while at < len(text):
        two = text[at : at + 2]
        if two in {"(*", "*)"} and (depth or two == "(*"):
            depth += 1 if two == "(*" else -1
            kept.append("  ")
            at += 2
        else:
            kept.append(text[at] if not depth or text[at] == "\n" else " ")
            at += 1
    return "".join(kept)


def sentences(text):
    """Return (start, end) of each sentence of Coq text, which ends with a full stop and a blank."""
    bare = without_comments(text)
    found, start = [], 0
    for stop in re.finditer(r"\.(?=\s|$)", bare):
        begin = start + len(bare[start:]) - len(bare[start:].lstrip())
        found.append((begin, stop.end()))
        start = stop.end()
    return found


def read(path):
    """Return what a Coq file states and defines, as read_text does."""
    return read_text(Path(path).read_text(encoding="utf-8"))


def read_text(text):
    """Return what Coq text states and defines: {name: {"kind", "text", "context", "comment"}}.

    ``text`` is the statement as it is written, ``context`` what the sections around it assume, and
    ``comment`` the documentation right above it.
    """
    bare = without_comments(text)
    found, sections, before = {}, [], 0
    for start, end in sentences(text):
        sentence = bare[start:end]
        head = re.match(
            rf"(?:#\[[^]]*\]\s*)?(?:Local |Global )?({STATED}|{DEFINED}|{ASSUMED}|Section|End)\b"
            r"\s*([\w'\"]*)",
            sentence,
        )
        above = re.findall(r"\(\*\*(.*?)\*\)", text[before:start], re.DOTALL)
        if head is None:
            before = end
            continue
        kind, name = head.groups()
        if kind == "Section":
            sections.append([])
        elif kind == "End" and sections:
            sections.pop()
        elif re.fullmatch(ASSUMED, kind):
            if sections:
                sections[-1].append(text[start:end])
        elif kind != "End":
            if kind == "Notation":
                name = re.search(r'Notation\s+(".*?"|\S+)', sentence)[1]
            found[name] = {
                "kind": kind,
                "text": text[start:end],
                "context": [said for section in sections for said in section],
                "comment": " ".join(above[-1].split()) if above else "",
            }
        before = end
    return found


def rows(root=ROOT):
    """Return the rows of the ledger."""
    return yaml.safe_load((root / LEDGER).read_text(encoding="utf-8")) or []


def claimed(root=ROOT):
    """Return the formal theorems that the ledger names, as (file, name), in its order."""
    pairs = [name for row in rows(root) for name in names_in(row)]
    return list(dict.fromkeys(pairs))


def names_in(row):
    """Return the (file, name) of each theorem in a row of the ledger."""
    given = row.get("coq") or []
    return [tuple(each.split("::")) for each in ([given] if isinstance(given, str) else given)]


def normalised(text):
    return " ".join(without_comments(text).split())


def written(root=ROOT):
    """Return, as text, what the files state for the ledger, and every definition in them."""
    wanted = claimed(root)
    lines = [
        "# What the formal theorems of the ledger say, and the definitions they are made of, one a",
        "# line. Made by `make proofs STATEMENTS=store`; a test compares it with the files.",
    ]
    for path in files(root):
        found = read(path)
        for name, item in found.items():
            stated = re.fullmatch(STATED, item["kind"])
            if stated and (path.name, name) not in wanted:
                continue
            parts = [*item["context"], item["text"]] if stated else [item["text"]]
            lines.append(f"{path.name}: {' '.join(normalised(part) for part in parts)}")
    return "\n".join(lines) + "\n"


def files(root=ROOT):
    """Return the Coq files, sorted."""
    return sorted((root / "proofs").glob("*.v"))


def complaints_about_the_text(root=ROOT):
    """Return what is wrong with the files, as far as one can see without Coq."""
    complaints = []
    for path in files(root):
        bare = without_comments(path.read_text(encoding="utf-8"))
        complaints += [f"{path.name}: {word}" for word in FORBIDDEN.findall(bare)]
    known = {path.name: read(path) for path in files(root)}
    for file, name in claimed(root):
        item = known.get(file, {}).get(name)
        if item is None or not re.fullmatch(STATED, item["kind"]):
            complaints.append(f"{file} states no {name}, which the ledger names")
    stored = root / "proofs" / "statements.txt"
    old = stored.read_text(encoding="utf-8").splitlines() if stored.is_file() else []
    new = written(root).splitlines()
    complaints += [f"not as stored: {line}" for line in new if line not in old]
    complaints += [f"stored, but no longer said: {line}" for line in old if line not in new]
    return complaints


def compile_all(root=ROOT):
    """Compile what has changed, in _build/proofs."""
    where = root / "_build" / "proofs"
    where.mkdir(parents=True, exist_ok=True)
    sources = [root / "proofs" / "_CoqProject", *files(root)]
    for source in sources:
        copy = where / source.name
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            shutil.copyfile(source, copy)
    names = [path.name for path in files(root)]
    for left in where.glob("*.v"):
        if left.name not in names:
            left.unlink()
    # One process at a time: some files need a good deal of memory.
    run(["coq_makefile", "-f", "_CoqProject", "-o", "coq.mk", *names], where)
    run(["make", "-f", "coq.mk", "--no-print-directory", "-j1"], where)


def run(command, where):
    # A make above this one must not lend it its targets and variables.
    environment = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL"}}
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise ProofError(f"{' '.join(command[:3])} failed:\n{said[-3000:]}")
    return done.stdout


def assumptions(root=ROOT):
    """Return what each theorem of the ledger assumes, as Coq says: {(file, name): set}."""
    where = root / "_build" / "proofs"
    wanted = claimed(root)
    ask = where / "ask" / "ask.v"
    ask.parent.mkdir(exist_ok=True)
    modules = sorted({file.removesuffix(".v") for file, _ in wanted})
    lines = [f"From {PACKAGE} Require {module}." for module in modules]
    for number, (file, name) in enumerate(wanted):
        full = f"{PACKAGE}.{file.removesuffix('.v')}.{name}"
        lines.append(f'Redirect "said{number}" Print Assumptions {full}.')
    ask.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(["coqc", "-w", "none", "-Q", "..", PACKAGE, "ask.v"], ask.parent)
    answers = [(ask.parent / f"said{number}.out") for number in range(len(wanted))]
    return {
        theorem: frozenset(assumed(answer.read_text(encoding="utf-8")))
        for theorem, answer in zip(wanted, answers, strict=True)
    }


def assumed(answer):
    """Return the names in an answer of Print Assumptions."""
    if "Closed under the global context" in answer:
        return set()
    names = set(re.findall(r"^(\S+)(?=\s*:|\s*$)", answer, re.MULTILINE)) - {"Axioms:"}
    if not names:
        raise ProofError(f"this answer of Coq isn't understood: {answer!r}")
    return names


def complaints_about_the_proofs(root=ROOT):
    """Compile the files; return what is wrong, and what each theorem assumes."""
    complaints = complaints_about_the_text(root)
    try:
        compile_all(root)
        found = assumptions(root)
    except ProofError as error:
        return [*complaints, str(error)], {}
    for (file, name), names in found.items():
        complaints += [f"{file}: {name} assumes {extra}" for extra in sorted(names - ALLOWED)]
    return complaints, found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--store", action="store_true", help="write proofs/statements.txt anew")
    options = parser.parse_args(arguments)
    if options.store:
        stored = ROOT / "proofs" / "statements.txt"
        stored.write_text(written(), encoding="utf-8", newline="\n")
    if shutil.which("coqc") is None:
        print(f"The proofs were not compiled, for there is no coqc here: {CURE}")
        complaints, found = complaints_about_the_text(), {}
    else:
        start = time.monotonic()
        complaints, found = complaints_about_the_proofs()
        print(f"{len(files())} files, compiled in {time.monotonic() - start:.0f} s\n")
    for (file, name), names in found.items():
        said = ", ".join(sorted(each.rpartition(".")[2] for each in names)) or "nothing"
        print(f"  {file}::{name}\n      assumes {said}")
    if found:
        print(f"\n{len(found)} theorems of the ledger")
    if complaints:
        print("\n".join(["", *complaints]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
