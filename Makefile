# Each target is one or two well-known commands, run in .venv (which is made when needed).
# Paths are relative and tools are run as "python -m", so that a folder with a space in its
# name works too. Written for GNU Make 3.81 (macOS) and later; on Windows, with its sh.

ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts
else
PYTHON ?= python3
BIN := .venv/bin
endif

# The settings of whoever runs it must not decide what a notebook prints. Kernels get settings and
# caches of the book's own (conftest.py says the same where pytest is run without make).
OWN := $(CURDIR)/_build/own
export IPYTHONDIR := $(OWN)/ipython
export JUPYTER_CONFIG_DIR := $(OWN)/jupyter
export JUPYTER_DATA_DIR := $(OWN)/jupyter
export JUPYTER_RUNTIME_DIR := $(OWN)/jupyter
export MPLCONFIGDIR := $(OWN)/matplotlib
unexport JUPYTER_PATH JUPYTER_CONFIG_PATH MATPLOTLIBRC MPLBACKEND
# Packages go into .venv, wherever pip puts them elsewhere.
export PIP_USER := no
unexport PIP_TARGET PIP_PREFIX PYTHONHOME PYTHONPATH
# Without a home to write to, programs get one here.
ifneq ($(OS),Windows_NT)
ifneq ($(shell test -n "$$HOME" && test -w "$$HOME" && echo yes),yes)
export HOME := $(OWN)/home
$(shell mkdir -p _build/own/home)
endif
endif
# Two test processes with as many BLAS threads each as there are cores stand in each other's way.
export OPENBLAS_NUM_THREADS := 1
# So that a Windows console, too, can print what the book and its tests print.
export PYTHONUTF8 := 1

.PHONY: help book talk pdf test bites proofs extras execute times bench parallel weight release submissions sheet grade similarity moodle canvas gradescope elsewhere odd ends wheels canary package mutants lab serve lint clean distclean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## */  make \1  | /p' Makefile | awk -F'|' '{ printf "%-18s%s\n", $$1, $$2 }'

# The environment: made anew when what it is made from has changed, and when the folder has
# been moved, because its scripts remember where they were.
export BOOK := $(CURDIR)
ifneq ($(shell cat .venv/.stamp 2>&1),$(CURDIR))
.PHONY: .venv/.stamp
endif
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
.venv/.stamp: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	    echo "This book needs Python 3.11 or later, and '$(PYTHON)' is not that."; \
	    echo "Name one that is, for instance: make $(MAKECMDGOALS) PYTHON=python3.13"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(PIP_INSTALL) -r requirements.txt
	@printf '%s\n' "$$BOOK" > .venv/.stamp

# What only some commands use is installed when it is used: requirements/NAME.txt.
.venv/.%: requirements/%.txt constraints.txt .venv/.stamp
	$(PIP_INSTALL) -r requirements/$*.txt
	@touch .venv/.$*

book: .venv/.stamp ## build the site into _build/html
	@# After a failed build Sphinx would not repeat its warnings: forget what it remembers.
	@$(BIN)/python -c "from jupyter_book.cli.main import main; main()" build . -W --keep-going -n \
	    || { rm -rf _build/.doctrees; exit 1; }
	@echo "The book lies in _build/html; 'make serve' shows it in your browser."

talk: .venv/.stamp ## build the slides of the talk anew, in _build/html/talk
	@test -f _build/html/index.html || $(MAKE) book
	@$(BIN)/python web/ext/slides.py

pdf: book .venv/.paper .venv/.browser ## print the book and the slides as PDFs, and let the site lead to them (needs Chromium)
	@$(BIN)/python -m paper.pdf

test: book ## test the library, every number in every notebook, and the built site: PYTEST="-k angle"
	$(BIN)/python -m pytest --nbval --nbval-current-env -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST)

bites: .venv/.stamp ## break every check of the chapters in turn, and see that it notices (some minutes)
	CI=true $(BIN)/python -m pytest -n 2 tests/test_checks_bite.py

# STATEMENTS=store writes proofs/statements.txt anew.
proofs: .venv/.stamp ## check the formal proofs, and say what each theorem assumes (needs Coq)
	@$(BIN)/python proofs/check.py $(if $(filter store,$(STATEMENTS)),--store)

extras: .venv/.browser .venv/.paper .venv/.cluster .venv/.similarity ## install what more tests need

execute: .venv/.stamp ## run figure scripts and notebooks again, and store what they print: CHAPTER=05_risk_bound
	$(if $(CHAPTER),,for script in chapters/figures/*.py; do $(BIN)/python "$$script" || exit 1; done)
	$(BIN)/python -m nbconvert --config nbconvert_config.py --to notebook --execute --inplace chapters/$(or $(CHAPTER),*).ipynb

times: .venv/.stamp ## time every chapter, for the page of execution times
	$(BIN)/python benchmarks/chapters.py
	$(BIN)/python chapters/figures/times.py

bench: .venv/.stamp ## time the library against what one would use instead (some minutes)
	$(PIP_INSTALL) -e '.[bench]'
	mkdir -p _build
	$(BIN)/python -m pytest -x -q --benchmark-disable-gc --benchmark-quiet -W default::pytest_benchmark.logger.PytestBenchmarkWarning --benchmark-json=_build/costs.json benchmarks/test_costs.py
	$(BIN)/python benchmarks/table.py _build/costs.json
	$(BIN)/python chapters/figures/costs.py

parallel: .venv/.cluster ## time a sweep on one process, on two, and on a Dask cluster (a quarter of an hour)
	$(BIN)/python benchmarks/parallel.py

weight: .venv/.paper .venv/.browser ## time the build of the site and the PDF, and weigh them
	$(BIN)/python benchmarks/weight.py

# Questions of one's own lie elsewhere: COURSE=private.
release: .venv/.stamp ## make the assignments' notebooks, for students and with solutions, in released/
	$(BIN)/python -m course.release --course "$${COURSE:-course}"
	$(BIN)/python -m course.release --course "$${COURSE:-course}" --out released

# What the teacher gives is read by the shell: names may hold spaces, quotes and dollars.
fill = $(BIN)/python -m course.grader.exchange $@ "$$SHEET" --out "graded/$$ASSIGNMENT/$@.csv" \
	    --grades "graded/$$ASSIGNMENT" $${COLUMN:+--column "$$COLUMN"} $${GIVE:+--give "$$GIVE"}

submissions:
	@test -n "$$SUBMISSIONS" && test -n "$$ASSIGNMENT" || { \
	    echo "make $(MAKECMDGOALS) SUBMISSIONS=folder ASSIGNMENT=name"; \
	    echo "  SUBMISSIONS  a folder with a notebook, or a folder, for each student"; \
	    echo "  ASSIGNMENT   $(notdir $(patsubst %/,%,$(dir $(wildcard course/*/hidden.py private/*/hidden.py))))"; \
	    echo "and, for make grade, if you like,"; \
	    echo "  AGAIN=name   grade this student anew, whatever is stored"; \
	    echo "  COPIES=no    no executed copies of the notebooks for marking by hand"; \
	    echo "  FORCE=1      let grades change that were given before"; \
	    echo "  SEED=number  make the hidden inputs from it, instead of from private/key"; \
	    exit 2; }

sheet:
	@test -n "$$SHEET" && test -n "$$ASSIGNMENT" || { \
	    echo "make $(MAKECMDGOALS) SHEET=file.csv ASSIGNMENT=name"; \
	    echo "  SHEET        the table that you have downloaded there"; \
	    echo "  COLUMN=name  its column for the grades, if it isn't found"; \
	    echo "  GIVE=automatic  these points instead of the total"; \
	    exit 2; }

grade: submissions .venv/.stamp ## grade what was handed in: SUBMISSIONS=folder ASSIGNMENT=a1_closed_form
	@$(BIN)/python -m course.grader "$$SUBMISSIONS" --assignment "$$ASSIGNMENT" \
	    --out "graded/$$(basename "$$ASSIGNMENT")" \
	    $${SEED:+--seed "$$SEED"} $${AGAIN:+--again "$$AGAIN"} $${FORCE:+--force} \
	    $$(test "$$COPIES" != no || echo --no-copies)

similarity: submissions .venv/.similarity ## say who may have copied: SUBMISSIONS=folder ASSIGNMENT=a1_closed_form
	@$(BIN)/python -m course.grader.similarity "$$SUBMISSIONS" --assignment "$$ASSIGNMENT" \
	    --out "graded/$$(basename "$$ASSIGNMENT")/similarity.html"

moodle: sheet .venv/.stamp ## fill in Moodle's grading worksheet: SHEET=file.csv ASSIGNMENT=a1_closed_form
	@$(fill)

canvas: sheet .venv/.stamp ## fill in Canvas's gradebook: SHEET=file.csv ASSIGNMENT=a1_closed_form
	@$(fill)

gradescope: .venv/.stamp ## make an autograder for Gradescope: ASSIGNMENT=a1_closed_form
	@test -n "$$ASSIGNMENT" || { echo "make gradescope ASSIGNMENT=a1_closed_form"; exit 2; }
	@$(BIN)/python -m course.grader.gradescope --assignment "$$ASSIGNMENT" \
	    --out "released/$$(basename "$$ASSIGNMENT").zip" $${SEED:+--seed "$$SEED"}

elsewhere: .venv/.stamp ## run everything as other machines would, and say what differs: MACHINES="old shaken-1"
	@PARTS="$(PARTS)" $(BIN)/python .ci/elsewhere.py $(MACHINES)

odd: ## build and test a copy in odd surroundings: another language, no home, no git (a quarter of an hour)
	@bash .ci/odd.sh

ends: .venv/.stamp ## test the library on the oldest and the newest numpy, scipy and matplotlib that it admits
	@$(BIN)/python .ci/ends.py

wheels: .venv/.pins ## ask whether every pin has a wheel for every system and Python
	@$(BIN)/python .ci/wheels.py

package: .venv/.stamp ## build the library's two packages, and test them in environments of their own: ALL=1
	@$(BIN)/python .ci/package.py $${ALL:+--all}

mutants: .venv/.mutants ## change the library in small ways, and say what its tests don't see: MODULES="geometry network"
	@$(BIN)/python .ci/mutants.py $(MODULES)

canary: .venv/.browser ## build and test a copy on the newest releases of everything
	@$(BIN)/python .ci/canary.py

lab: .venv/.lab ## open the notebooks in JupyterLab, to change things and see
	$(BIN)/python -m jupyter lab chapters

serve: ## show the built site at http://localhost:8000
	@test -f _build/html/index.html || { echo "Nothing to show yet: run 'make book' first."; exit 1; }
	@echo "The book is at http://localhost:8000/ ; Ctrl-C stops."
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

lint: .venv/.style ## check the style of the code, and the library's types and docstrings
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m numpydoc lint distill_lib/[!_]*.py

clean: ## remove what book and test have made
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
	find . -path ./.venv -prune -o -name .ipynb_checkpoints -type d -exec rm -rf {} +

distclean: clean ## remove the environment as well
	rm -rf .venv
