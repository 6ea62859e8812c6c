"""What crosses between an agent's process and the harness comes out as it went in."""

from __future__ import annotations

import pytest

from mlds_bench.benchmarks.run.messages import ANSWERS, read_message, write_message


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_read_with_and_without_parsing(kind: str) -> None:
    """As we write it, and as another writer of JSON might."""
    assert read_message(write_message(kind)) == {"kind": kind}
    assert read_message(f' {{"kind":"{kind}"}}'.encode()) == {"kind": kind}


def test_what_is_no_message_is_empty() -> None:
    """Unknown kinds, wrong content, no JSON."""
    for content in (b"", b"act done", b'{"kind": "act"}', write_message("learned", env_steps=-1)):
        assert read_message(content) == {}


def test_content_is_kept() -> None:
    """A message that holds something."""
    message = {"state": "failed", "reason": "KeyError: 'oops'"}
    assert read_message(write_message("error", **message)) == {"kind": "error", **message}
