"""What an expression may be: names, strings, comparisons and conditions, and some filters and methods of strings.

Jinja's sandbox keeps an expression from getting out; nothing in it keeps one from running for hours or filling the
memory. So an expression is taken only when each of its parts is listed here. None of them repeats anything: what comes
out is never longer than what went in, times the number of parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateAssertionError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Undefined

MAX_PARTS = 1000
MAX_DEPTH = 30
MAX_TEXT = 1 << 20

METHODS = (
    *("capitalize", "endswith", "isalnum", "isalpha", "isdigit", "lower", "lstrip", "partition", "removeprefix"),
    *("removesuffix", "rpartition", "rsplit", "rstrip", "split", "startswith", "strip", "title", "upper"),
)
_FILTERS = (
    *("capitalize", "default", "first", "int", "last", "length", "list", "lower", "reverse", "sort", "string", "title"),
    *("trim", "unique", "upper"),
)
_TESTS = ("defined", "divisibleby", "eq", "even", "ge", "gt", "in", "le", "lt", "ne", "none", "odd", "string")
_PARTS = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.List, nodes.Tuple, nodes.Dict),
    *(
        nodes.Pair,
        nodes.CondExpr,
        nodes.Compare,
        nodes.Operand,
        nodes.And,
        nodes.Or,
        nodes.Not,
        nodes.Concat,
        nodes.Add,
    ),
    *(nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Neg, nodes.Pos, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test),
    *(nodes.Keyword,),
)
_SIGNS: dict[type[nodes.Node], str] = {nodes.Mul: "'*'", nodes.Pow: "'**'", nodes.Mod: "'%'"}


class _Environment(ImmutableSandboxedEnvironment):
    """Where ``x[y]`` is what ``x`` holds, never an attribute of it: a method's text is another in each run."""

    def getitem(self, obj: Any, argument: Any) -> Any | Undefined:
        """What the string, list or mapping holds at the place."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)


def make_environment() -> ImmutableSandboxedEnvironment:
    """An environment in which there is nothing but the parameters and the listed filters and tests."""
    environment = _Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.filters.update(replace=_replace, join=_join)
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment


def parse_expression(environment: ImmutableSandboxedEnvironment, text: str) -> nodes.Template:
    """The parts of a string with expressions.

    Raises:
        jinja2.TemplateError: for a part that is not listed, too many parts, or parts that lie too deep in each other.
    """
    try:
        template = environment.parse(text)
    except RecursionError:
        raise _too_deep() from None
    stack: list[tuple[nodes.Node, int]] = [(template, 0)]
    count = 0
    while stack:
        node, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        if count > MAX_PARTS:
            raise TemplateSyntaxError(f"more than {MAX_PARTS} parts", 1)
        stack.extend((child, depth + 1) for child in _open(node))
    return template


def _open(node: nodes.Node) -> Iterable[nodes.Node]:
    """The parts of a part that is allowed."""
    if isinstance(node, nodes.Call):
        return _open_call(node)
    if isinstance(node, nodes.Getattr):
        raise SecurityError(f"the attribute {node.attr!r} cannot be read")
    if isinstance(node, nodes.Stmt) and not isinstance(node, nodes.Output):
        raise TemplateAssertionError("statements are not allowed; write {{ … if … else … }}", 1)
    if not isinstance(node, _PARTS):
        raise TemplateAssertionError(
            f"{_SIGNS.get(type(node), type(node).__name__)} is not allowed in an expression", 1
        )
    return node.iter_child_nodes()


def _open_call(node: nodes.Call) -> Iterable[nodes.Node]:
    method = node.node
    if not isinstance(method, nodes.Getattr) or method.attr not in METHODS:
        name = getattr(method, "attr", getattr(method, "name", "this"))
        raise SecurityError(f"{name} cannot be called; what can: {', '.join(METHODS)}")
    if node.dyn_args or node.dyn_kwargs:
        raise SecurityError("arguments are written out")
    return (method.node, *node.args, *node.kwargs)


def _too_deep() -> TemplateSyntaxError:
    return TemplateSyntaxError(f"nested deeper than {MAX_DEPTH} levels", 1)


def _replace(text: str, old: str, new: str) -> str:
    """``replace`` with a limit, for it multiplies."""
    text, old, new = str(text), str(old), str(new)
    _limit(len(text) + text.count(old) * max(0, len(new) - len(old)))
    return text.replace(old, new)


def _join(items: Iterable[str], separator: str = "") -> str:
    """``join`` with a limit, for it multiplies."""
    texts = [str(item) for item in items]
    _limit(sum(map(len, texts)) + len(texts) * len(separator))
    return str(separator).join(texts)


def _limit(size: int) -> None:
    if size > MAX_TEXT:
        raise ValueError(f"more than {MAX_TEXT} characters")
