"""The faults that `python -m tests.faults` plants: each can be put into the code as it is, and its test is there."""

import re
from pathlib import Path

import pytest
from faults import __main__ as command

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("room", sorted(command.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_each_can_be_planted(room):
    for fault in command.read(room):
        assert fault.keys() - {"bits"} == {"fault", "file", "old", "new", "test"}, fault["fault"]
        assert (ROOT / fault["file"]).read_text().count(fault["old"]) == 1, fault["fault"]
        assert fault["new"] != fault["old"], fault["fault"]
        file, *names = re.sub(r"\[.*", "", fault["test"]).split("::")
        text = (ROOT / "tests" / file).read_text()
        for name in names:
            assert re.search(rf"(def|class) {name}\b", text), f"{fault['fault']}: {name}"


def test_none_is_there_twice():
    faults = command.read()
    assert len({fault["fault"] for fault in faults}) == len(faults)
    assert len({(fault["file"], fault["old"], fault["new"]) for fault in faults}) == len(faults)
