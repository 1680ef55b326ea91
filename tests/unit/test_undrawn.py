"""What the end of a run says of figures that could not be drawn."""

from balmi.again import UNDRAWN
from balmi.undrawn import what_is_undrawn


def test_the_end_of_a_run_names_what_is_missing_now(tmp_path):
    log, other = tmp_path / "build_report.log", tmp_path / "save_figures.log"
    assert what_is_undrawn([str(log), str(other)]) == ""
    for each in (log, other):
        UNDRAWN.write(each, "no addresses")
    told = what_is_undrawn([str(log), str(other)])
    assert [str(log) in told, str(other) in told] == [True, True]
    assert told.count("no addresses") == 1
    UNDRAWN.write(log, None)
    assert str(log) not in what_is_undrawn([str(log), str(other)])
