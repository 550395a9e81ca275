"""What tests share: the built site, a server for it, a browser, and hypothesis's settings."""

import functools
import http.server
import importlib
import os
import shutil
import threading
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
NOT_OURS = {"_static", "_sources", "mathjax", "lite"}  # other people's pages

# A red run must be red again for whoever looks into it, so the examples are the same each time;
# and a busy machine is not a wrong theorem, so there is no deadline.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
# pytest --hypothesis-profile=explore: for new examples, ten times as many.
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("repeatable")

BROWSER_NAMES = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
]
BROWSER_PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    *(
        os.path.join(os.environ[variable], browser)
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        if variable in os.environ
        for browser in (
            r"Google\Chrome\Application\chrome.exe",
            r"Microsoft\Edge\Application\msedge.exe",
        )
    ),
]
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # The browser's own errands must not be mistaken for the book's.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No other host can be reached, not even by what shows no request (prefetches, web sockets).
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pages(site=SITE):
    """The book's own pages, as sorted paths relative to the site."""
    found = [page.relative_to(site) for page in site.rglob("*.html")]
    return sorted(page.as_posix() for page in found if page.parts[0] not in NOT_OURS)


def redirects(page):
    """Whether a page only sends its reader on, as the one at the root does."""
    return 'http-equiv="refresh"' in page.read_text(encoding="utf-8").lower()


def in_ci():
    """Whether everything must be tested here."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def wanting(what, cure):
    """Fail in CI, where everything must be tested, and skip elsewhere: something isn't there."""
    if in_ci():
        pytest.fail(f"{what}: {cure}")
    pytest.skip(f"{what}: {cure}", allow_module_level=True)


def needed(module, cure="run `make extras`"):
    """Import and return a module that is not among what `make test` installs."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        wanting(f"no {module.partition('.')[0]}", cure)


def pytest_generate_tests(metafunc):
    # One test a page; and one before there are pages, so that nothing passes by being empty.
    if "page_path" in metafunc.fixturenames:
        found = [page for page in pages() if not redirects(SITE / page)]
        found = [page for page in found if not page.startswith("talk/")]  # test_talk.py opens it
        metafunc.parametrize("page_path", found or ["the site"])


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    if not pages():
        wanting("the site has not been built", "run `make book`")
    return SITE


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def serve():
    """serve(folder) starts a server for that folder on a free port and returns its address."""
    servers = []

    def start(folder):
        handler = functools.partial(QuietHandler, directory=os.fspath(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def address(site, serve):
    """The address at which the built site is served."""
    return serve(site)


# By hand, because pytest-playwright's browser is one for the session, and one that it has brought.
# Not for the whole session: as long as playwright's event loop runs, no other test can use asyncio.
@pytest.fixture(scope="module")
def browser():
    """A Chromium that can reach nothing but this machine."""
    with needed("playwright.sync_api").sync_playwright() as playwright:
        places = [*map(shutil.which, BROWSER_NAMES), *BROWSER_PLACES]
        places.append(playwright.chromium.executable_path)  # of `playwright install chromium`
        if "CHROMIUM" in os.environ:  # whoever names a browser means that one
            places = [os.environ["CHROMIUM"]]
        found = next((place for place in places if place and os.path.isfile(place)), None)
        if found is None:
            cure = "install Chromium (or name it in CHROMIUM), then `make extras`"
            wanting("no browser found", cure)
        chromium = playwright.chromium.launch(executable_path=found, args=BROWSER_FLAGS)
        yield chromium
        chromium.close()
