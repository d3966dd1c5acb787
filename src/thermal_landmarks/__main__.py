"""The console script: `thermal-landmarks train stem=conv`, or `python -m thermal_landmarks train stem=conv`."""

import difflib
import os
import runpy
import sys
from importlib import import_module
from importlib.util import find_spec

from thermal_landmarks import __version__

NAME = "thermal-landmarks"
COMMANDS = {
    "predict": "landmarks of every face in image files",
    "track": "every face of a video, frame by frame",
    "signals": "breathing, perspiration and temperatures along the tracks of a video",
    "batch": "track and signals of many recordings, and one table of all",
    "info": "how pictures and recordings are read: size, frames, unit, palette",
    "check_data": "read a data set as training would and report on it",
    "calibrate": "learn from a few annotated faces where an annotator puts each landmark",
    "train": "train, test and measure one model; with --multirun a grid or a search",
    "evaluate": "measure a trained network on any data set",
    "compare": "runs on the same test pictures, with intervals over the people",
    "export": "a trained network as one file that needs no PyTorch",
    "report": "one page on all runs and searches below outputs/",
    "visualize": "pictures of what a network has learned",
    "models": "parameters, operations and memory of every model",
    "reproduce": "the paper's searches, trainings and ablations, stopped and continued at any point",
    "render_sequence": "rendered video with landmarks and physiological signals",
    "dashboard": "lay out a W&B workspace",
}
"""What each module of `thermal_landmarks.commands` does, in the order in which people need them."""


def main() -> None:
    """Run the command that the first argument names, or say which there are."""
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("--help", [])
    if name in ("-h", "--help"):
        print(usage())
    elif name == "--version":
        print(f"{NAME} {__version__}")
    elif name in ("-sc", "--shell-completion"):
        complete(arguments)
    elif name in COMMANDS:
        run(name, arguments)
    else:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        sys.exit(f"error: there is no command '{name}'.{hint} Commands: {', '.join(COMMANDS)}.")


def usage() -> str:
    """The page of `--help`."""
    width = max(map(len, COMMANDS))
    return "\n".join(
        [
            f"usage: {NAME} COMMAND [SETTING=VALUE ...]",
            "",
            *(f"  {name:<{width}}  {line}" for name, line in COMMANDS.items()),
            "",
            f"Settings of a command: {NAME} COMMAND --help. Results go below outputs/ of the current folder.",
            "Completion by Tab:",
            f'  eval "$({NAME} -sc install=bash)"  in bash and zsh',
            f"  {NAME} -sc install=fish | source  in fish",
        ]
    )


def run(name: str, arguments: list[str]) -> None:
    """Run a command's module as `python -m` would: what it starts again in other processes finds it by that name."""
    if find_spec("torch") is None or find_spec("hydra") is None:
        sys.exit(
            f"error: {name} needs PyTorch and others that aren't installed: pip install '{NAME}[full]'. Exported files "
            "are predicted without them, in Python: thermal_landmarks.runtime"
        )
    sys.argv[1:] = arguments
    runpy.run_module(f"thermal_landmarks.commands.{name}", run_name="__main__", alter_sys=True)


def complete(arguments: list[str]) -> None:
    """Hydra's completion, for the command in the line that the shell hands over in COMP_LINE."""
    sys.argv[0] = NAME  # what the shell's function is installed for
    words = os.environ.get("COMP_LINE", "").split(" ")
    asked = any(argument.startswith("query=") for argument in arguments)
    if asked and len(words) < 3:  # the command is still being typed
        print("\n".join(name for name in COMMANDS if name.startswith(words[-1])))
        return
    name = words[1] if asked else "train"
    if name in COMMANDS:
        os.environ["COMP_LINE"] = " ".join([NAME, *words[2:]])
        sys.argv[1:] = ["--shell-completion", *arguments]
        import_module(f"thermal_landmarks.commands.{name}").main()


if __name__ == "__main__":
    main()
