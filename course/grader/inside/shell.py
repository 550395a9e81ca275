"""The shell in which a notebook's cells are run, and what they show."""

import base64
import sys

ROOM = 8_000_000  # characters, of all that a notebook shows
STREAM = 20_000  # characters, of what a cell prints, and of one value


class Outputs:
    """What a cell shows, as a notebook stores it: texts, and pictures as PNG."""

    def __init__(self):
        self.room, self.parts = ROOM, []

    def take(self):
        """Return what was shown since the last time."""
        taken, self.parts = self.parts, []
        return taken

    def add(self, part, size):
        """Keep a part, as long as there is room."""
        if size <= self.room:
            self.room -= size
            self.parts.append(part)

    def print(self, name, text):
        """Keep what is printed: of one cell, not more than anyone reads."""
        last = self.parts[-1] if self.parts else {}
        if last.get("name") != name:
            last = {"output_type": "stream", "name": name, "text": ""}
            self.add(last, 0)
        before = len(last["text"])
        last["text"] = (last["text"] + text)[:STREAM]
        self.room -= len(last["text"]) - before

    def display(self, kind, data):
        """Keep a value or a figure, of which a notebook has several forms."""
        kept = {"text/plain": str(data.get("text/plain", ""))[:STREAM]}
        picture = data.get("image/png")
        if isinstance(picture, bytes):
            picture = base64.b64encode(picture).decode("ascii")
        if isinstance(picture, str) and len(picture) <= self.room:
            kept["image/png"] = picture
        part = {"output_type": kind, "data": kept, "metadata": {}}
        self.add(part, sum(map(len, kept.values())))

    def stumble(self, kind, error, lines):
        """Keep an error."""
        part = {"output_type": "error", "ename": kind.__name__, "evalue": str(error)[:1000]}
        self.add(part | {"traceback": [line[:STREAM] for line in lines]}, 2000)


class Stream:
    """What stands in the place of sys.stdout or sys.stderr where somebody looks."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, name, outputs):
        self.name, self.outputs = name, outputs

    def write(self, text):
        self.outputs.print(self.name, str(text))
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def isatty(self):
        return False


def quiet_shell(outputs=None):
    """Return an IPython shell in which magics work, and nothing is stored.

    Nothing is shown either, unless there are outputs to put it into.
    """
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False

    class Hook(DisplayHook):
        def start_displayhook(self):
            pass

        write_output_prompt = finish_displayhook = start_displayhook

        def write_format_data(self, format_dict, md_dict=None):
            outputs.display("execute_result", format_dict)

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, **_):
            outputs.display("display_data", data)

        def clear_output(self, wait=False):
            outputs.take()

    class Shell(InteractiveShell):
        unknown = []  # the magics of a cell that there aren't here: of a kernel, of an extension

        def run_line_magic(self, magic_name, line, _stack_depth=1):
            if self.find_line_magic(magic_name) is None:
                self.unknown.append(f"%{magic_name}")
                return None
            try:
                return super().run_line_magic(magic_name, line, _stack_depth + 1)
            except ImportError:
                if magic_name not in ("load_ext", "reload_ext"):
                    raise
                self.unknown.append(f"%{magic_name} {line}")

        def run_cell_magic(self, magic_name, line, cell):
            if self.find_cell_magic(magic_name):
                return super().run_cell_magic(magic_name, line, cell)
            self.unknown.append(f"%%{magic_name} and what stands below it")

        def enable_matplotlib(self, gui=None):
            return None, "agg"  # as no one looks, or the backend is set already

        def enable_gui(self, gui=None):
            pass

        def ask_exit(self):
            pass

        def showtraceback(self, exc_tuple=None, *_, **__):
            if outputs is not None:
                kind, error, trace = self._get_exc_info(exc_tuple)
                lines = self.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=1)
                outputs.stumble(kind, error, lines)

        showsyntaxerror = showindentationerror = showtraceback

    if outputs is None:
        return Shell.instance(colors="nocolor", cache_size=0)
    Shell.displayhook_class, Shell.display_pub_class = Hook, Publisher
    Shell.system = Shell.system_piped  # what a command prints comes here, not to a terminal
    sys.stdout, sys.stderr = Stream("stdout", outputs), Stream("stderr", outputs)
    return Shell.instance(colors="nocolor", cache_size=0)


def figures_as_png(shell):
    """Have figures shown as PNG, whatever a notebook has asked for: that is what is passed on."""
    if "matplotlib.figure" in sys.modules:
        from IPython.core.pylabtools import select_figure_formats

        select_figure_formats(shell, {"png"})
