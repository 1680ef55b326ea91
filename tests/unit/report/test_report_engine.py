"""A machine on which nothing can be drawn: the job lives on, and the page says what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import altair as alt
import pytest

from balmi.report.kit import figures, svg
from balmi.report.kit.engine import Engine, Undrawn, engine
from balmi.report.kit.figures import NOTE, Figure, save_figures
from balmi.report.render import build_report

SPEC = {"mark": "point", "data": {"values": [{"a": 1}]}, "encoding": {"x": {"field": "a"}}}
DIES = "import os, signal, sys; print('# Fatal', flush=True); os.kill(os.getpid(), signal.SIGTRAP)"
LIMITED = """
from balmi.report.kit.engine import Undrawn, engine
try:
    engine()("vegalite_to_svg", vl_spec={spec})
except Undrawn as reason:
    print(reason)
"""


@pytest.fixture
def dying(monkeypatch):
    """Return an engine that dies at its first call, in the place of every other."""
    found = Engine([sys.executable, "-c", DIES])
    for module in (svg, figures):
        monkeypatch.setattr(module, "engine", lambda: found)
    monkeypatch.setattr("balmi.report.render.engine", lambda: found)
    return found


def test_a_process_answers_more_than_one_call():
    drawn = [engine()("vegalite_to_svg", vl_spec=SPEC) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0].startswith("<svg")
    assert engine()("svg_to_png", svg=drawn[0], scale=1).startswith(b"\x89PNG")
    assert engine().failure is None


def test_what_a_call_raises_is_an_error_of_ours_and_no_want_of_the_machine():
    broken = Engine()
    with pytest.raises(RuntimeError, match="no_such_function"):
        broken("no_such_function")


def test_the_death_of_the_process_is_told_again_at_every_call(dying):
    for _ in range(2):
        with pytest.raises(Undrawn, match="was ended by SIGTRAP; what helps, where it wants mem"):
            dying("vegalite_to_svg", vl_spec=SPEC)
    assert "SIGTRAP" in dying.failure


def test_a_limit_of_addresses_is_named_with_what_to_change():
    code = f"ulimit -v 9000000; exec {sys.executable} -c '{LIMITED.format(spec={})}'"
    done = subprocess.run(
        ["bash", "-c", code],
        env={**os.environ, "PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "may reserve 9,216 MB here" in done.stdout
    assert "`ulimit -v unlimited`" in done.stdout


def test_a_page_without_figures_says_so_and_is_the_same_else(inputs, made, tmp_path, dying):
    def read(folder):
        text = (folder / "report.html").read_text(encoding="utf-8")
        tables = re.findall(r"<table.*?</table>", text, flags=re.DOTALL)
        return text, tables, (folder / "view.json").read_bytes()

    drawn, *held = read(made)
    assert 'class="undrawn"' not in drawn
    reason = build_report(inputs, tmp_path / "report.html", tmp_path / "view.json")
    assert reason == dying.failure
    text, *others = read(tmp_path)
    assert held == others
    head, _, body = text.partition("<main")
    assert f"The reason: {reason}." in head
    # The pictures of the first screen need no engine, nor do those of values, samples, confusions.
    own = ("carries", "combining", "overlap", "values", "samples", "confusion")
    first = [f'aria-labelledby="{name}-title"' for name in own]
    assert all(name in body for name in first)
    assert body.count('role="img"') == len(first)
    assert body.count('<p class="undrawn">') == drawn.count('role="img"') - len(first) > 10
    assert "Shapley values: " in body  # what a reader who cannot see the figure is told


def test_the_folder_of_figures_says_what_is_missing(tmp_path, dying):
    chart = alt.Chart(alt.Data(values=[{"x": 1}])).mark_point().encode(x="x:Q")
    drawn = {name: Figure(chart, name, "Title", "Told.") for name in ("embedding", "shapley")}
    save_figures(drawn, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NOTE]
    lines = (tmp_path / NOTE).read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["  embedding", "  shapley", dying.failure]
