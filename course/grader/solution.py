"""Right functions, from the solution notebook, to put in the place of a student's wrong ones."""

import ast
import json
import symtable


def parts(data, wanted):
    """Return {name: (place, statement)} of what the solution's cells define.

    Of a cell that defines an answer everything counts, of other cells what they import, and of
    cells for students nothing. Of two definitions the last one counts.
    """
    known, place = {}, 0
    for cell in json.loads(data.decode("utf-8-sig"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "student" in cell.get("metadata", {}).get("tags", []):
            continue
        try:
            body = ast.parse(source).body
        except SyntaxError:  # a cell with magics
            continue
        answers = any(name in wanted for each in body for name in names(each))
        for statement in body:
            if answers or isinstance(statement, (ast.Import, ast.ImportFrom)):
                place += 1
                known |= dict.fromkeys(names(statement), (place, statement))
    return known


def names(statement):
    """Return the names that a statement defines."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [(each.asname or each.name).split(".")[0] for each in statement.names]
    if isinstance(statement, ast.Assign):
        return [each.id for each in statement.targets if isinstance(each, ast.Name)]
    return []


def needs(statement):
    """Return the names of a module that a statement uses."""

    def used(table):
        free = {each.get_name() for each in table.get_symbols() if each.is_global()}
        return free.union(*map(used, table.get_children()))

    table = symtable.symtable(ast.unparse(statement), "solution", "exec")
    own = {each.get_name() for each in table.get_symbols() if each.is_referenced()}
    return own.union(*map(used, table.get_children()))


def functions(data, assignment):
    """Return {function: source} for what the solution's answers need, each by itself.

    A source has what its function needs and nothing else: whoever gets to see it learns no answer
    to a later question. A function that isn't to be had so isn't among them.
    """
    order = [question.function for question in assignment.questions]
    known, sources = parts(data, set(order)), {}
    for function in order:
        found, wanted = {}, [function]
        while wanted:
            name = wanted.pop()
            if name in known and name not in found:
                found[name] = known[name]
                wanted += needs(known[name][1])
        later = order[order.index(function) + 1 :]
        if function in found and not found.keys() & set(later):
            statements = sorted(dict(found.values()).items())
            sources[function] = "\n".join(ast.unparse(each) for _, each in statements)
    return sources
