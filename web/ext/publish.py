"""Where this copy of the book is published, and what its pages can say once that is known.

``repository: url`` in _config.yml is the address of its sources. While that is empty, nothing
on the site leads to a place that isn't there. Once it is set,

* every notebook has a menu that opens it elsewhere: on Binder, in Colab, on a hub
  (``launch_buttons`` names the places);
* the site knows its own address: that of GitHub Pages, unless ``html: baseurl`` names another.
  Then it has a sitemap, and its pages canonical links and a social card.

And when a title changes, every page is written anew: each has all titles beside it, which Sphinx
by itself would leave as they were.
"""

import html
import re
from pathlib import Path
from urllib.parse import urlencode

from docutils import nodes

ON_GITHUB = re.compile(r"https://github\.com/([\w-]+)/([\w.-]+?)(?:\.git)?/?")
PLACES = ("binderhub_url", "jupyterhub_url", "colab_url")
ICONS = {  # beside the SVG that the theme links to
    "favicon.ico": 'rel="icon" sizes="32x32"',
    "apple-touch-icon.png": 'rel="apple-touch-icon"',
}
# Where a browser keeps no data for a site (a setting, or a sandboxed frame), even to ask for its
# storage is an error, and the scripts of the theme and of the search would stop there. First of
# all, then, they get a storage that forgets.
STORAGE = """<script>
for (const name of ["localStorage", "sessionStorage"]) {
  try { window[name].length; } catch {
    const kept = new Map();
    Object.defineProperty(window, name, { value: {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, value) => { kept.set(String(key), String(value)); },
      removeItem: (key) => { kept.delete(String(key)); },
      clear: () => kept.clear(),
      key: (place) => [...kept.keys()][place] ?? null,
      get length() { return kept.size; },
    } });
  }
}
</script>
"""
# Colab has the rest, in releases that its own parts depend on.
IN_COLAB = '%pip install -q --no-deps "ipywidgets>=8.1" comm git+{}'
CARD = "_static/card.png"
CARD_TAGS = {
    "og:image:width": "1200",
    "og:image:height": "630",
    "twitter:card": "summary_large_image",
}
LONGEST_DESCRIPTION = 200  # characters: search engines cut what is longer


def setup(app):
    app.add_config_value("launch_places", {}, "html", dict)
    app.connect("config-inited", settle)
    app.connect("env-get-updated", pages_with_old_titles)
    # Before and after the theme and sphinxext.opengraph, which have 500.
    app.connect("html-page-context", add_context, priority=400)
    app.connect("html-page-context", mend_tags, priority=600)
    app.connect("build-finished", write_sitemap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def pages_with_old_titles(app, env):
    """Return the pages to write anew: all, if any title is another than in the last build."""
    titles = {page: title.astext() for page, title in env.titles.items()}
    changed = titles != getattr(env, "titles_last_written", titles)
    env.titles_last_written = titles
    return env.found_docs if changed else ()


def settle(app, config):
    """Derive from the repository all that depends on it."""
    options = config.html_theme_options
    # The theme's own menu has no room to say what Colab needs first.
    config.launch_places = options.pop("launch_buttons", {})
    published = bool(options.get("repository_url"))
    options |= {"use_repository_button": published, "use_issues_button": published}

    config.html_baseurl = config.html_baseurl or pages_address(options.get("repository_url", ""))
    if config.html_baseurl:
        config.html_baseurl = config.html_baseurl.rstrip("/") + "/"
        config.ogp_site_url = config.html_baseurl
        config.ogp_image = config.html_baseurl + CARD
        config.ogp_custom_meta_tags = [
            f'<meta property="{name}" content="{content}" />' for name, content in CARD_TAGS.items()
        ]


def pages_address(repository):
    """Return the address that GitHub Pages gives to the site of a repository, or ""."""
    found = ON_GITHUB.fullmatch(repository)
    if not found:
        return ""
    owner, name = found[1].lower(), found[2]
    host = f"{owner}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def launches(places, repository, branch, path):
    """Return where a notebook can be opened: (name, icon, address) of each place there is."""
    binder, hub, colab = (places[key].rstrip("/") for key in PLACES)
    found = []
    on_github = ON_GITHUB.fullmatch(repository)
    name = repository.rpartition("/")[2].removesuffix(".git")
    if binder and on_github:
        where = f"gh/{on_github[1]}/{on_github[2]}/{branch}?urlpath=lab/tree/{path}"
        found.append(("Binder", "logo_binder.svg", f"{binder}/v2/{where}"))
    if hub and repository:  # nbgitpuller
        where = {"repo": repository, "branch": branch, "urlpath": f"lab/tree/{name}/{path}"}
        address = f"{hub}/hub/user-redirect/git-pull?{urlencode(where)}"
        found.append(("JupyterHub", "logo_jupyterhub.svg", address))
    if colab and on_github:
        where = f"{on_github[1]}/{on_github[2]}/blob/{branch}/{path}"
        found.append(("Colab", "logo_colab.png", f"{colab}/github/{where}"))
    return found


def description(doctree):
    """Return the first sentences of the first paragraph that stands by itself on a page.

    A paragraph that is emphasised as a whole is a subtitle, and says less.
    """
    section = next(doctree.findall(nodes.section), doctree)
    paragraphs = [child for child in section if isinstance(child, nodes.paragraph)]
    texts = [each.astext() for each in paragraphs if not isinstance(each[0], nodes.emphasis)]
    said = ""
    for sentence in re.findall(r"\S.*?[.?!](?= |$)", " ".join("".join(texts[:1]).split())):
        if len(said) + len(sentence) >= LONGEST_DESCRIPTION:
            break
        said = f"{said} {sentence}".strip()
    return said


def add_context(app, pagename, templatename, context, doctree):
    """Give the templates what they need, and each page a description in its own words."""
    config, options = app.config, app.config.html_theme_options
    context["address"], context["card"] = config.html_baseurl, config.html_baseurl + CARD
    if pagename == "index":  # it only leads to the first page
        context["description"] = description(app.env.get_doctree(config.root_doc))
    if doctree is None:
        return
    said = description(doctree) or config.html_title
    context["meta"] = (context["meta"] or {}) | {"og:description": said}
    context["metatags"] += f'\n<meta name="description" content="{html.escape(said)}" />\n'
    path = Path(app.env.doc2path(pagename)).relative_to(app.srcdir)
    if path.suffix == ".ipynb":
        repository, branch = options.get("repository_url", ""), options["repository_branch"]
        context["launches"] = launches(config.launch_places, repository, branch, path.as_posix())
        context["install"] = IN_COLAB.format(repository)


def mend_tags(app, pagename, templatename, context, doctree):
    """Add the icons, and take away an address that isn't one."""
    tags = context.get("metatags", "")
    if not app.config.html_baseurl:
        tags = re.sub(r'<meta property="og:url".*\n', "", tags)
    for icon, link in ICONS.items():
        tags += f'<link {link} href="{context["pathto"](icon, resource=True)}" />\n'
    context["metatags"] = STORAGE + tags


def write_sitemap(app, exception):
    """List the pages for search engines, which want whole addresses.

    By hand, because sphinx-sitemap lists what was written in this build: after a second one that
    is the pages that have changed, and the page of search results with them.
    """
    if exception or app.builder.name != "html" or not app.config.html_baseurl:
        return
    pages = (app.builder.get_target_uri(page) for page in sorted(app.env.found_docs))
    addresses = (html.escape(app.config.html_baseurl + page) for page in pages)
    urls = "".join(f"<url><loc>{address}</loc></url>\n" for address in addresses)
    sitemap = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    )
    Path(app.outdir, "sitemap.xml").write_text(sitemap, encoding="utf-8")
