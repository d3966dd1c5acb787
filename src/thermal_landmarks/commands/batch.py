"""Many recordings, each tracked and measured, and one table of all: `python src/batch.py source='recordings/*.seq'`."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.commands.entry import command
from thermal_landmarks.data.paths import matching
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.runs import PROGRESS, tracked, write_json

_SETTINGS = "batch.json"


@command("batch", renders=False)
def main(cfg: DictConfig, folder: Path) -> None:
    """Track and measure each recording in a folder of its own, and leave summary.csv: a row a person and recording."""
    settings: Any = OmegaConf.to_container(cfg, resolve=True)
    recordings = find_recordings(settings["source"])
    _remember(folder / _SETTINGS, {name: settings[name] for name in ("track", "signals")})
    tables: dict[str, pd.DataFrame] = {}
    with ThreadPoolExecutor(max(1, int(cfg.jobs))) as pool:
        waiting: dict[str, Future[pd.DataFrame]] = {
            name: pool.submit(_measured, path, folder / name, settings) for name, path in recordings.items()
        }
        try:
            for number, (name, future) in enumerate(waiting.items(), start=1):
                tables[name] = future.result()
                _write(tables, folder / "summary.csv")
                print(f"[{number}/{len(waiting)}] {name}: {_said(tables[name])}", flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    print(folder / "summary.csv")
    failed = [name for name, table in tables.items() if "error" in table]
    if failed:
        raise DataError(f"{len(failed)} of {len(tables)} recordings were not measured: {', '.join(failed)}.")


def find_recordings(source: str | Sequence[str] | None) -> dict[str, Path]:
    """Recordings by the names of their folders: the file's own, or with that of its folder where two are the same.

    A source is a pattern, a file, or a list of these.

    Raises:
        ConfigError: If an entry means no file, or two would have one name.
    """
    entries = [source] if isinstance(source, str) else list(source or ())
    found = {entry: matching(entry) for entry in entries}
    if missing := [entry for entry in entries or [""] if not found.get(entry)]:
        raise ConfigError(
            f"source={', '.join(missing)}: no recording. Give files, or a pattern in quotes: "
            "\"source='recordings/*.seq'\"."
        )
    paths = list(dict.fromkeys(path for several in found.values() for path in several))
    often = Counter(path.stem for path in paths)
    names = [p.stem if often[p.stem] == 1 else f"{p.absolute().parent.name}_{p.stem}" for p in paths]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(f"source={source}: several recordings would be called {', '.join(twice)}. Rename them.")
    return dict(zip(names, (path.absolute() for path in paths), strict=True))


def run_command(name: str, words: list[str], log: Path) -> None:
    """A command in a process of its own, so that one recording can't end the others; the log gets what it says.

    Raises:
        DataError: If it fails, with the last line that it says.
    """
    ended = subprocess.run([sys.executable, "-m", "thermal_landmarks", name, *words], capture_output=True, text=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{name} {' '.join(words)}\n{ended.stdout}{ended.stderr}")
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise DataError(said[-1].removeprefix("error: "))


def _measured(path: Path, folder: Path, settings: dict[str, Any]) -> pd.DataFrame:
    """The rows of one recording; what an earlier call has done is not done again."""
    summary, log = folder / "signals" / "summary.csv", folder / "log.txt"
    try:
        if not tracked(folder):
            where = "resume" if (folder / PROGRESS).exists() else "output"
            run_command(
                "track", [f"source={_quoted(path)}", f"{where}={_quoted(folder)}", *_words(settings["track"])], log
            )
        begun = (summary.parent / PROGRESS).exists()  # and stopped, with a table of what came before
        if begun or not summary.exists():
            where = "resume" if begun else "output"
            words = [f"tracks={_quoted(folder)}", f"{where}={_quoted(summary.parent)}", *_words(settings["signals"])]
            run_command("signals", words, log)
        return pd.read_csv(summary)
    except DataError as error:
        return pd.DataFrame({"error": [str(error)]})


def _remember(path: Path, settings: dict[str, Any]) -> None:
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != settings:
        raise ConfigError(
            f"{path.parent}: holds recordings that were measured with other settings. Give another output=."
        )
    write_json(path, settings)


def _words(settings: dict[str, Any] | None) -> list[str]:
    return [f"{name}={json.dumps(value)}" for name, value in (settings or {}).items()]


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "\\'") + "'"


def _write(tables: dict[str, pd.DataFrame], path: Path) -> None:
    rows = pd.concat([table.assign(recording=name) for name, table in tables.items()], ignore_index=True)
    first = ["recording", *(["track"] if "track" in rows else [])]
    rows[[*first, *rows.columns.drop(first)]].to_csv(path, index=False, float_format="%.6g")


def _said(table: pd.DataFrame) -> str:
    if "error" in table:
        return f"not measured: {table['error'][0]}"
    rates = [f"{rate:.1f}" for rate in table.get("breathing_rate", pd.Series(dtype=float)).dropna()]
    tracks = "1 track" if len(table) == 1 else f"{len(table)} tracks"
    return f"{tracks}, {table['seconds'].max():.0f} s" + (f", {' and '.join(rates)} breaths/min" if rates else "")


if __name__ == "__main__":
    main()
