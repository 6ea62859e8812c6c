"""Run source code as it was when it was read, whatever has become of its files since."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

from mlds_bench.agents.sources import Source


class _FrozenLoader(SourceLoader):
    """Executes one source; ``__file__`` is where it was read, so that files beside it are found."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002
        return str(self._source.path)

    def get_data(self, path: str) -> bytes:
        if path != str(self._source.path):
            raise OSError(f"{path} was not read")  # no byte code is cached, nor looked for
        return self._source.content


class _FrozenFinder(MetaPathFinder):
    """Knows some modules by their full names; for the rest others are asked."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        source = self._sources.get(fullname)
        if source is None:
            return None
        is_package = source.path.name == "__init__.py"
        return spec_from_file_location(
            fullname,
            source.path,
            loader=_FrozenLoader(source),
            submodule_search_locations=[str(source.path.parent)] if is_package else None,
        )


@contextmanager
def frozen(sources: Mapping[str, Source]) -> Iterator[None]:
    """Imports in this block find these sources before anything on disk.

    The finder stays for what is imported later, when the agent acts; modules of the same names
    that were imported before are not touched.

    Args:
        sources: full module name -> source.
    """
    finder = _FrozenFinder(sources)
    sys.meta_path.insert(0, finder)
    try:
        yield
    except BaseException:
        sys.meta_path.remove(finder)
        raise
