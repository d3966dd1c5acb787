import errno
import subprocess
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import InstantiationException, OverrideParseException

from thermal_landmarks.commands.configs import CONFIG_DIR
from thermal_landmarks.commands.explaining import explain, quoted
from thermal_landmarks.errors import DataError
from thermal_landmarks.rendered import store_ranges

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(run_script):
    def run(*arguments, cwd, command="train.py"):
        return run_script([f"src/{command}", *arguments], cwd=cwd)

    return run


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("stem=alt_conv_resnet", ["Could not find 'stem/alt_conv_resnet'", "alt_conv_resnext", "conv", "resnext"]),
        ("stem.dept=3", ["Did you mean 'depth'?", "Settings in 'stem'", "kernel_size"]),
        ("sede=3", ["Did you mean 'seed'?", "ensemble"]),
        ("data.augmentation.rotate=1", ["Settings in 'data.augmentation'", "rotation_max_deg"]),
    ],
)
def test_typing_mistakes_name_the_choices_in_one_screen(argument, expected, tmp_path, run):
    result = run(argument, cwd=tmp_path)
    assert result.returncode != 0
    assert all(text in result.stderr for text in expected)
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) < 30
    assert not list(tmp_path.iterdir())


def test_two_mistakes_and_other_commands_are_answered_as_well(tmp_path, run):
    assert "Did you mean 'depth'?" in run("stem.dept=3", "branch.dept=2", cwd=tmp_path).stderr
    result = run("checkpiont=x", "data=portraits", cwd=tmp_path, command="evaluate.py")
    assert "Did you mean 'checkpoint'?" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("command", "argument", "groups"),
    [
        ("check_data.py", "renderer_ablation/off=glasses", "Its groups: data"),
        ("predict.py", "data=coco", "Its groups: none"),
        ("evaluate.py", "stem=conv", "Its groups: data, renderer_ablation/on"),
        ("models.py", "stem=conv", "Its groups: root, head"),
    ],
)
def test_a_group_that_a_command_lacks_is_answered_with_those_it_has(command, argument, groups, tmp_path, run):
    needed = ["data=portraits"] if command == "evaluate.py" else []
    result = run(*needed, argument, cwd=tmp_path, command=command)
    assert result.returncode == 1
    assert f"has no config group '{argument.partition('=')[0]}'" in result.stderr
    assert groups in result.stderr
    assert "Traceback" not in result.stderr


AWKWARD = [
    "/data/x=1/a.json",
    "a#b",
    "faces (2)/a.png",
    "it's",
    'a "b".png',
    "both ' and \"",
    "ü/ö.png",
    "a;b&c!d",
    "{a}",
    "~/x=1",
    "C:\\new\\a=b\\",
]


@pytest.mark.parametrize("path", AWKWARD)
def test_a_path_that_hydra_cannot_read_is_shown_in_quotes_that_work_in_the_shell(path):
    parser = OverridesParser.create()
    with pytest.raises(OverrideParseException) as caught:
        parser.parse_overrides([f"source={path}"])
    message = explain(caught.value, "predict", [f"source={path}"])
    assert message is not None
    suggested = message.splitlines()[-1].strip()
    script = f"printf %s {suggested}"
    typed = subprocess.run(["bash", "-c", script], capture_output=True, encoding="utf-8", check=True).stdout
    (override,) = parser.parse_overrides([typed])
    assert override.value() == path


def test_each_path_of_a_list_is_quoted():
    assert quoted("source", "[a=b.png, c d.png]") == """'source=["a=b.png","c d.png"]'"""


def test_a_comma_may_mean_a_list_a_text_or_several_runs(tmp_path, run):
    result = run("source=a,b c.png", cwd=tmp_path, command="predict.py")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "error: source=a,b c.png has a comma.",
        """A list of values: 'source=["a","b c.png"]'""",
        """One value:        'source="a,b c.png"'""",
        "One run for each: --multirun",
    ]


def test_a_path_that_the_shell_has_split_is_shown_in_quotes(tmp_path, run):
    result = run("source=my", "faces", cwd=tmp_path, command="predict.py")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].strip() == """'source="my faces"'"""


OUTPUTS = (
    "train",
    "evaluate",
    "calibrate",
    "export",
    "predict",
    "check_data",
    "visualize",
    "report",
    "render_sequence",
    "signals",
    "track",
    "batch",
    "compare",
)


@pytest.mark.parametrize("command", OUTPUTS)
def test_output_names_the_folder_of_every_command_that_writes(command):
    needed = ["data=portraits"] if command == "evaluate" else []
    store_ranges()

    def folders(*overrides: str) -> tuple[str, str]:
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(CONFIG_DIR)):
            cfg = compose(command, [*needed, *overrides], return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        try:
            return str(cfg.hydra.run.dir), str(cfg.hydra.sweep.dir)
        finally:
            HydraConfig.instance().cfg = None

    assert folders("output='~/results'") == (str(Path.home() / "results"),) * 2
    run, sweep = folders()
    assert run.startswith(f"outputs/{command}/20")
    assert sweep.startswith("outputs/multirun/20")


def test_every_command_either_writes_nothing_or_has_output():
    silent = {"models", "dashboard", "info"}
    by_study = {"reproduce"}  # its folders go on, and are found by the study's name
    assert {path.stem for path in CONFIG_DIR.glob("*.yaml")} == {*OUTPUTS, *silent, *by_study}


def test_a_training_is_not_written_over_and_a_file_is_no_folder(tmp_path, run):
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    last.parent.mkdir(parents=True)
    last.touch()
    result = run("output=run", cwd=tmp_path)
    assert "output=run holds a run. Continue it (resume=run)" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in last.parents[1].iterdir()] == ["checkpoints"]
    (tmp_path / "file").touch()
    assert "output=file is a file" in run("output=file", cwd=tmp_path).stderr
    other = run("resume=run", "output=elsewhere", cwd=tmp_path)
    assert "output=elsewhere: a resumed run stays in its folder, run" in other.stderr


def test_user_errors_are_found_behind_what_hydra_wraps_around_them():
    wrapped = InstantiationException("Error in call to target")
    wrapped.__cause__ = DataError("a.json, line 3: no points")
    assert explain(wrapped, "train", []) == "a.json, line 3: no points"


def test_a_disk_that_takes_no_files_is_one_line():
    full = OSError(errno.ENOSPC, "No space left on device", "outputs/points.csv")
    assert explain(full, "predict", []) == (
        "outputs/points.csv: No space left on device. Free space, or name another folder."
    )


def test_errors_of_the_program_keep_their_traceback():
    assert explain(ZeroDivisionError("x"), "train", []) is None


def test_a_package_of_an_extra_that_is_not_installed_is_named_with_what_installs_it():
    said = explain(ModuleNotFoundError("No module named 'onnx'", name="onnx.helper"), "export", [])
    assert said == "The package onnx isn't installed. Install it: pip install 'thermal-landmarks[export]'"
    assert explain(ModuleNotFoundError("No module named 'nothing'", name="nothing"), "export", []) is None
