"""Checks taken out one at a time, from the source: what a verifier without that check would say.

Every `raise`, every call made only for its refusal, and every alternative of an `or` before a
`raise`, in any function of a module, is a check. A mutant is the function without it; its code is
put into the living function, so that all who imported it meet it, and taken out again. Nothing is
listed by hand, so a check that is added tomorrow is a mutant tomorrow.
"""

from __future__ import annotations

import ast
import copy
import gc
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import _lru_cache_wrapper, cached_property
from types import CodeType, FunctionType, ModuleType
from typing import Any

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: where it stands, and what it says."""

    module: ModuleType
    function: str
    """The outermost function, as `Class.method` or `function`."""
    kind: str
    text: str
    number: int
    """Which node of the module, in the order of `ast.walk`; for an `or` its guard."""
    operand: int = -1

    @property
    def key(self) -> str:
        """Stands for it in lists: no line numbers, which change."""
        return f"{self.module.__name__.split('.', 1)[1]}.{self.function}: {self.text}"


def checks_of(module: ModuleType) -> list[Check]:
    """All checks of a module, in the order of its source."""
    tree = _tree(module)
    numbers = {id(node): number for number, node in enumerate(ast.walk(tree))}
    found: list[Check] = []
    statements: set[int] = set()
    for name, function in _functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Raise):
                found.append(Check(module, name, "raise", _say(node), numbers[id(node)]))
            elif isinstance(node, ast.Expr) and _checks(node.value):
                statements.add(id(node.value))
                found.append(Check(module, name, "call", _say(node), numbers[id(node)]))
            elif _passes_on(node) and id(node) not in statements:
                found.append(Check(module, name, "argument", _say(node), numbers[id(node)]))
            elif _guards(node):
                assert isinstance(node, ast.If)
                assert isinstance(node.test, ast.BoolOp)
                for operand, each in enumerate(node.test.values):
                    text = f"or {ast.unparse(each)}"
                    found.append(Check(module, name, "or", text, numbers[id(node)], operand))
    return found


_CHECKS = re.compile(r"_?(check|require)(_\w+)?|verify|literal|end")


def _named(node: ast.AST) -> str:
    """The last name of what is called, or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return getattr(function, "attr", getattr(function, "id", ""))


def _checks(node: ast.AST) -> bool:
    """Whether the node calls something for its refusal."""
    return _CHECKS.fullmatch(_named(node)) is not None


def _passes_on(node: ast.AST) -> bool:
    """Whether the call gives its first argument back, checked: `check_asset(text, where=…)`."""
    return _checks(node) and any(each.arg == "where" for each in getattr(node, "keywords", ()))


def _guards(node: ast.AST) -> bool:
    """Whether the node is `if a or b: … raise`."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.BoolOp)
        and isinstance(node.test.op, ast.Or)
        and isinstance(node.body[-1], ast.Raise)
    )


def _say(node: ast.AST) -> str:
    return re.sub(r"\s+", " ", ast.unparse(node))[:120]


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Outermost functions, and methods of classes, with their names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef):
                    yield f"{node.name}.{each.name}", each


# --- code into living functions -----------------------------------------------------------------


def _living(module: ModuleType, name: str) -> FunctionType:
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    for _ in range(4):
        if isinstance(found, classmethod | staticmethod):
            found = found.__func__
        elif isinstance(found, property):
            found = found.fget
        elif isinstance(found, cached_property):
            found = found.func
        elif hasattr(found, "__wrapped__"):
            found = found.__wrapped__
    assert isinstance(found, FunctionType), name
    return found


def _code(tree: ast.Module, module: ModuleType, name: str, like: CodeType) -> CodeType:
    """The code of a function in a changed tree."""
    compiled = compile(ast.fix_missing_locations(tree), module.__file__ or "", "exec")
    stack = [compiled]
    while stack:
        code = stack.pop()
        if code.co_qualname == name and code.co_firstlineno == like.co_firstlineno:
            return code
        stack += [each for each in code.co_consts if isinstance(each, CodeType)]
    raise LookupError(name)


class _Change(ast.NodeTransformer):
    """Replaces nodes by their identity."""

    def __init__(self, replaced: dict[int, ast.AST]) -> None:
        self._replaced = replaced

    def visit(self, node: ast.AST) -> Any:
        found = self._replaced.get(id(node))
        inner = super().generic_visit(node)
        return inner if found is None else found


@contextmanager
def without(check: Check) -> Iterator[None]:
    """The check is not made meanwhile."""
    tree = _tree(check.module)
    node: Any = list(ast.walk(tree))[check.number]
    if check.kind == "or":
        node.test.values[check.operand] = ast.copy_location(ast.Constant(False), node.test)
    else:
        other = node.args[0] if check.kind == "argument" else ast.copy_location(ast.Pass(), node)
        tree = _Change({id(node): other}).visit(tree)
    function = _living(check.module, check.function)
    before = function.__code__
    function.__code__ = _code(tree, check.module, check.function, before)
    forget()
    try:
        yield
    finally:
        function.__code__ = before
        forget()


def forget() -> None:
    """Empty the caches of `proofs`: they would hand on what a mutant let through."""
    for each in _caches():
        each.cache_clear()


_FOUND: list[Any] = []


def _caches() -> Sequence[Any]:
    if not _FOUND:
        _FOUND.extend(
            each
            for each in gc.get_objects()
            if isinstance(each, _lru_cache_wrapper) and _worth(each)
        )
    return _FOUND


def _worth(cache: Any) -> bool:
    # Generators and the grammar hold nothing that a check decides, and are slow to make.
    module = getattr(cache, "__module__", "") or ""
    return module.startswith("proofs.") and module not in ("proofs.generators", "proofs.grammar")


# --- who reaches what ---------------------------------------------------------------------------

Reached = Callable[[int], None]
_HOOK = "_reached_by_test"


@contextmanager
def watching(checks: Sequence[Check], reached: Reached) -> Iterator[None]:
    """Tell of every check that refuses: by its place in `checks`, as it does."""
    by_module: dict[ModuleType, list[tuple[int, Check]]] = {}
    for place, check in enumerate(checks):
        if check.kind in ("raise", "call"):
            by_module.setdefault(check.module, []).append((place, check))
    before: list[tuple[FunctionType, CodeType]] = []
    for module, listed in by_module.items():
        tree = _tree(module)
        nodes = list(ast.walk(tree))
        changes = {
            id(nodes[check.number]): _watched(nodes[check.number], place) for place, check in listed
        }
        changed = _Change(changes).visit(tree)
        setattr(module, _HOOK, reached)
        for name in {check.function for _, check in listed}:
            function = _living(module, name)
            before.append((function, function.__code__))
            function.__code__ = _code(changed, module, name, function.__code__)
    forget()
    try:
        yield
    finally:
        for function, code in before:
            function.__code__ = code
        for module in by_module:
            delattr(module, _HOOK)
        forget()


def _watched(node: Any, place: int) -> ast.stmt:
    """The statement, telling when it refuses."""
    tell = ast.Expr(ast.Call(ast.Name(_HOOK, ast.Load()), [ast.Constant(place)], []))
    if isinstance(node, ast.Raise):
        wrapped: ast.stmt = ast.If(ast.Constant(True), [tell, copy.deepcopy(node)], [])
    else:
        wrapped = ast.Try(
            [copy.deepcopy(node)],
            [ast.ExceptHandler(ast.Name("BaseException", ast.Load()), None, [tell, ast.Raise()])],
            [],
            [],
        )
    return ast.copy_location(wrapped, node)
