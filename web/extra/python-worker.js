// Python beside the page (_static/run.js): it runs cells one after the other, and says what they
// print and draw. It is told first where Pyodide lies, and the book's library.

let python;
const say = (message) => postMessage(message);

// What the book's cells ask of their surroundings, and what a notebook would give them: figures are
// shown as shapes, and a flipbook says its sliders and frames instead of making widgets.
const SURROUNDINGS = `
import ast, sys, types, warnings
import js
from pyodide.code import eval_code
from pyodide.ffi import to_js

def _say(**message):
    js.postMessage(to_js(message, dict_converter=js.Object.fromEntries))

class _Widget:
    def __init__(self, *children, **state):
        self.__dict__.update(state, children=list(children[0]) if children else None)

class _HTML:
    def __init__(self, value):
        self.value = value

class _Box(_Widget):
    def _repr_mimebundle_(self):
        *sliders, stack = self.children
        return {"flipbook": {
            "sliders": [
                {"name": each.description, "labels": [label for label, _ in each.options],
                 "index": each.value}
                for each in sliders
            ],
            "frames": _frames(stack),
        }}

def _frames(stack):
    if isinstance(stack, _HTML):
        return stack.value
    return [_frames(child) for child in stack.children]

def _display(bundle, raw=False):
    if raw and "flipbook" in bundle:
        _say(kind="flipbook", flipbook=bundle["flipbook"])
    else:
        print(bundle)

_widgets = types.ModuleType("ipywidgets")
_widgets.HTML, _widgets.Stack, _widgets.VBox = _HTML, _Widget, _Box
_widgets.SelectionSlider, _widgets.jslink = _Widget, lambda *ends: None
_shown = types.ModuleType("IPython.display")
_shown.display = _display
_ipython = types.ModuleType("IPython")
_ipython.display, _ipython.version_info, _ipython.get_ipython = _shown, (9, 0), lambda: None
sys.modules |= {"ipywidgets": _widgets, "IPython": _ipython, "IPython.display": _shown}

def _show(*args, **kwargs):
    from matplotlib import pyplot as plt
    from distill_lib import _svg
    for number in plt.get_fignums():
        _say(kind="figure", svg=_svg.svg(plt.figure(number), dpi=140, bbox_inches="tight"))
    plt.close("all")

def _run(code):
    if "matplotlib" in code and "matplotlib.pyplot" not in sys.modules:
        with warnings.catch_warnings(action="ignore"):
            import matplotlib
            matplotlib.use("agg")
            import matplotlib.pyplot as plt
        plt.show = _show
    value = eval_code(code, _cells)
    if value is not None:
        print(repr(value))

_cells = {"__name__": "__main__"}
`;

async function start({ pyodide, library }) {
  say({ kind: "step", text: "Loading Python" });
  importScripts(`${pyodide}pyodide.js`);
  python = await loadPyodide({ indexURL: pyodide });
  const print = (text) => say({ kind: "text", text: `${text}\n` });
  python.setStdout({ batched: print });
  python.setStderr({ batched: (text) => { if (!/font cache/.test(text)) print(text); } });
  say({ kind: "step", text: "Loading numpy, scipy and matplotlib" });
  await python.loadPackage(["numpy", "scipy", "matplotlib"], { messageCallback: () => {} });
  say({ kind: "step", text: "Loading the book's library" });
  const wheel = await (await fetch(library)).arrayBuffer();
  python.unpackArchive(wheel, "wheel");
  python.runPython(SURROUNDINGS);
}

async function run(code) {
  await python.loadPackagesFromImports(code, { messageCallback: () => {} });
  python.globals.get("_run")(code);
}

onmessage = async ({ data }) => {
  try {
    if (data.start) await start(data.start);
    else if (data.forget) python.runPython('_cells.clear(); _cells["__name__"] = "__main__"');
    else await run(data.code);
    say({ kind: "done" });
  } catch (error) {
    // Of a traceback, what is about the cell.
    const text = String(error.message ?? error).replace(/[^]*(?=  File "<exec>", line \d+, in <module>)/, "");
    say({ kind: "failed", text });
  }
};
