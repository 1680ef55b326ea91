import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from balmi.data.assemble import assemble_cohort
from balmi.data.cohort import INPUTS, read_cohort, read_roster, write_cohort
from balmi.data.inputs import InputFile, Inputs


def test_every_file_is_told_with_its_size_checksum_and_the_day(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id,x\n1,2\n")
    folder = tmp_path / "counts"
    folder.mkdir()
    for name in ("matrix.mtx", "features.tsv", "barcodes.tsv"):
        (folder / name).write_text(name, encoding="utf-8")
    before = datetime.now(UTC).date().isoformat()
    found = Inputs.of([str(tmp_path / "a.csv"), str(folder)])
    assert before <= found.read <= datetime.now(UTC).date().isoformat()
    digest = hashlib.sha256(b"id,x\n1,2\n").hexdigest()
    assert found.files[0] == InputFile(str(tmp_path / "a.csv"), 9, digest)
    names = {"matrix.mtx", "features.tsv", "barcodes.tsv"}
    assert {file.path for file in found.files[1:]} == {str(folder / name) for name in names}


def test_what_was_made_before_this_was_kept_tells_nothing():
    assert Inputs.told({"dataset": "mine"}) == Inputs()
    told = Inputs("2026-11-30", (InputFile("a.csv", 9, "ab"),))
    assert Inputs.told({INPUTS: told.as_json()}) == told


def test_a_cohort_tells_its_files_and_is_the_same_from_others_of_the_same_content(source, tmp_path):
    cohort = assemble_cohort("own", source.dataset(), folds=3)
    files = source.dataset().files
    assert [file.path for file in Inputs.told(cohort.provenance).files] == files
    other = replace(cohort, provenance={**cohort.provenance, INPUTS: Inputs().as_json()})
    none = {key: value for key, value in cohort.provenance.items() if key != INPUTS}
    sums = []
    for number, each in enumerate((cohort, other, replace(cohort, provenance=none))):
        path, roster = tmp_path / f"{number}.h5mu", tmp_path / f"{number}.json"
        write_cohort(each, path, roster)
        assert read_cohort(path).provenance == read_roster(roster).provenance == each.provenance
        sums.append(read_roster(roster).checksum)
    assert len(set(sums)) == 1
