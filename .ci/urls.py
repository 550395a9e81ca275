"""Where the sources are, told to the package: from _config.yml, once an address is there.

Hatchling's hook for what pyproject.toml calls dynamic.
"""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


def addresses(config):
    """Return the package's links, from the text of _config.yml."""
    found = re.search(r'^repository:\n(?:  .*\n)*?  url: *"?([^"#\s]*)', config, re.MULTILINE)
    repository = found[1].removesuffix("/").removesuffix(".git") if found else ""
    if not repository:
        return {}
    return {
        "Source": repository,
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
    }


class Urls(MetadataHookInterface):
    def update(self, metadata):
        metadata["urls"] = addresses(Path(self.root, "_config.yml").read_text(encoding="utf-8"))
