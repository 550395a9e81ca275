#!/usr/bin/env bash
# Another architecture, for real: the library's tests and the chapters on arm64, emulated by qemu.
#
#     sudo bash .ci/arm64.sh [what pytest is to run; six chapters and the library's tests if not said]
#
# On Debian and Ubuntu; needs the packages debootstrap and qemu-user-static, root (for chroot), two
# gigabytes, and an hour: emulated, everything takes ten to twenty times as long. Makes an arm64 system
# in _build/arm64 once, with the pinned packages, and runs in it a copy of the files as git has them.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/_build/arm64/root site=$PWD/_build/arm64/site
suite=bookworm # whose Python is 3.11, the oldest that the book admits

for tool in debootstrap qemu-aarch64-static; do
    command -v $tool >/dev/null || { echo "Install $tool first: apt-get install debootstrap qemu-user-static"; exit 1; }
done
# The kernel must know what to do with a program for arm64.
if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
    [ -e /proc/sys/fs/binfmt_misc/register ] || mount binfmt_misc -t binfmt_misc /proc/sys/fs/binfmt_misc
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
fi

if [ ! -e "$root/.done" ]; then
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --arch=arm64 --variant=minbase --include=python3,python3-yaml,procps,git,ca-certificates "$suite" "$root"
    touch "$root/.done"
fi
# Wheels are only unpacked, which this machine does faster.
make -s .venv/.pins
rm -rf "$site"
grep -hv '^-' requirements.txt >_build/arm64/wanted.txt
.venv/bin/python -m uv pip install --quiet --no-build --python-platform aarch64-manylinux_2_28 \
    --python-version 3.11 --target "$site" -c constraints.txt -r _build/arm64/wanted.txt

rm -rf "$root/book" "$root/site"
mkdir -p "$root/book"
cp -r "$site" "$root/site"
git ls-files -z | xargs -0 cp --parents -t "$root/book"

if [ $# = 0 ]; then
    set -- chapters/0[1-6]*.ipynb tests/test_{arguments,bounds,deep_theorems,distillation,factor_theorems,geometry}.py \
        tests/test_{inputs,label_theorems,network,open_ends,risk,risk_theorems,since_theorems,student,theorems,training}.py
fi
# distill_lib isn't installed there: it is imported from the copy.
chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 OPENBLAS_NUM_THREADS=1 \
    PYTHONPATH=/book:/site sh -c 'cd /book && uname -m && exec python3 -m pytest -q -p no:cacheprovider \
    -o timeout=0 --nbval --nbval-current-env -n 2 --dist loadfile "$@"' sh "$@"
