import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermal_landmarks.data.split import SplitSettings, split_subjects, write_split
from thermal_landmarks.errors import ConfigError


@given(count=st.integers(4, 100), seed=st.integers(0, 1000))
def test_every_subject_is_in_exactly_one_split(count, seed):
    subjects = [f"s{i}" for i in range(count)] * 2
    split = split_subjects(subjects, SplitSettings(seed=seed))
    together = [name for names in split.values() for name in names]
    assert sorted(together) == sorted(set(subjects))
    assert all(split.values())


def test_seed_decides():
    subjects = [str(i) for i in range(40)]
    assert split_subjects(subjects, SplitSettings(seed=1)) == split_subjects(subjects[::-1], SplitSettings(seed=1))
    assert split_subjects(subjects, SplitSettings(seed=1)) != split_subjects(subjects, SplitSettings(seed=2))


def test_too_few_subjects_are_refused_with_a_way_out():
    with pytest.raises(ConfigError, match=r"data\.split\.overlap=true"):
        split_subjects(["a", "a"], SplitSettings())
    subjects = [str(i) for i in range(40)]
    with pytest.raises(ConfigError, match=r"train, val=0 and test=0\.15 "):
        split_subjects(subjects, SplitSettings(val=0))
    assert len(split_subjects(subjects, SplitSettings(val=1e-4), with_test=False)["val"]) == 1


def test_file_is_followed_and_checked(tmp_path):
    path = tmp_path / "split.json"
    split = {"train": ["a"], "val": ["b"], "test": ["c"]}
    write_split(path, split)
    settings = SplitSettings(file=str(path))
    assert split_subjects(["a", "b", "c"], settings) == split
    with pytest.raises(ConfigError, match="differ in: d"):
        split_subjects(["a", "b", "c", "d"], settings)
    path.write_text(json.dumps(split | {"test": ["a"]}))
    with pytest.raises(ConfigError, match="'a' stands in 'train' and in 'test'"):
        split_subjects(["a", "b"], settings)
