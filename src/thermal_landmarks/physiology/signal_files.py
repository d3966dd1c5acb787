"""`signals.csv` and `signals.parquet`, written one signal after the other: a night's are gigabytes."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pandas as pd

from thermal_landmarks.runs import replacing


class SignalFiles(ExitStack):
    """The tables of one recording, which take the place of earlier ones once they are whole.

    In signals.parquet each signal of a track is a row group of its own, so that one is read without the others.

    Attributes:
        values: Number of those written so far.
    """

    def __init__(self, folder: Path, *, parquet: bool) -> None:
        super().__init__()
        self._folder, self._parquet = folder, parquet
        self._writer: Any = None
        self.values = 0

    def __enter__(self) -> Self:
        self._csv = self.enter_context(replacing(self._folder / "signals.csv"))
        if self._parquet:
            import pyarrow as pa  # type: ignore[import-untyped]
            import pyarrow.parquet as pq  # type: ignore[import-untyped]

            real, text = pa.float64(), pa.string()
            columns = [("time_s", real), ("track", pa.int64()), ("signal", text), ("value", real), ("quality", real)]
            file = self.enter_context(replacing(self._folder / "signals.parquet", binary=True))
            self._writer = self.enter_context(pq.ParquetWriter(file, pa.schema([*columns, ("flag", text)])))
        return self

    def passed_on(self, tables: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """The tables, each after it has been written."""
        for table in tables:
            table.to_csv(self._csv, index=False, float_format="%.6g", header=not self.values)
            if self._writer is not None:
                import pyarrow as pa

                self._writer.write_table(pa.Table.from_pandas(table, schema=self._writer.schema, preserve_index=False))
            self.values += len(table)
            yield table
