#!/usr/bin/env bash
# The README's two commands where nobody thought of them: in a folder with an odd name, from a zip
# without git, in another language and time zone, without a home or with one that is closed, with
# somebody else's settings of pip, IPython, Jupyter and matplotlib, with files that nobody else may
# read, started by nohup.
#
#     bash .ci/odd.sh [arguments for pytest instead of `make test`]
#
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
book="$work/it's a \"100 %\" naïve \`folder\` (ğ, 書)"
umask 077
mkdir "$book" "$work/theirs" "$work/theirs/matplotlib"
git ls-files -z | xargs -0 cp --parents -t "$book" # as a zip has them: no .git

# Settings that would change what a notebook prints, or end it.
ipython=$work/theirs/profile_default
mkdir -p "$ipython/startup" "$work/theirs/kernels/python3"
echo 'c.InteractiveShell.ast_node_interactivity = "all"' >"$ipython/ipython_config.py"
echo 'import numpy; numpy.set_printoptions(precision=2); print("hello")' >"$ipython/startup/00-mine.py"
for name in jupyter nbconvert; do
    echo 'c.NbConvertApp.export_format = "latex"; c.ExecutePreprocessor.enabled = False' \
        >"$work/theirs/${name}_config.py"
    cp "$work/theirs/${name}_config.py" "$work/theirs/jupyter_${name}_config.py"
done
echo '{"argv": ["false"], "display_name": "Mine", "language": "python"}' >"$work/theirs/kernels/python3/kernel.json"
echo 'savefig.dpi: 30' >"$work/theirs/matplotlib/matplotlibrc"

# Other languages are there if their definitions are.
mkdir "$work/locales"
localedef -i tr_TR -f UTF-8 "$work/locales/tr_TR.UTF-8" 2>/dev/null && language=tr_TR.UTF-8 || language=C

odd() {
    # Like nohup: no terminal, no SIGINT.
    (
        trap '' INT HUP
        cd "$book"
        env -u HOME LOCPATH="$work/locales" LANG=$language LC_ALL=$language TZ=Asia/Kathmandu \
            SOURCE_DATE_EPOCH=1 PIP_USER=yes MPLBACKEND=svg PYTHONPATH=/nowhere \
            IPYTHONDIR="$work/theirs" JUPYTER_CONFIG_DIR="$work/theirs" JUPYTER_PATH="$work/theirs" \
            JUPYTER_DATA_DIR="$work/theirs" MPLCONFIGDIR="$work/theirs/matplotlib" \
            "$@" </dev/null
    )
}
echo "== in $book, $language"
odd make -j4 book
# With a home, which can't be written to.
if [ $# = 0 ]; then
    odd env HOME=/nowhere make -j4 test
else
    # What `make test` runs, but for the arguments.
    odd env HOME=/nowhere make -j4 test PYTEST="$*"
fi
