#!/usr/bin/env bash
# Gradescope runs this once, as root, when the autograder is built.
set -euo pipefail
cd /autograder/source
apt-get update
apt-get install -y --no-install-recommends bubblewrap ca-certificates python3 python3-venv
python3 -m venv /opt/uv
/opt/uv/bin/pip install --quiet uv
# Not in root's home: the code of students runs as somebody else, who must be able to read it.
export UV_PYTHON_INSTALL_DIR=/opt/python
/opt/uv/bin/uv venv --quiet --python "$(cat python_version)" /opt/grader
/opt/uv/bin/uv pip install --quiet --python /opt/grader/bin/python -r requirements.txt
# What is in here isn't for students; without bubblewrap that is all there is to keep them out.
chmod -R go-rwx /autograder/source
# Fails here, where the teacher sees it, if there can be no sandbox: containers often forbid it.
/opt/grader/bin/python -m course.grader.gradescope --check
