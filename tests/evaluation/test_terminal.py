from thermal_landmarks.evaluation.measures import METRICS
from thermal_landmarks.evaluation.terminal import metric_table


def test_table_shows_every_metric_and_where_nothing_was_measured() -> None:
    metrics = {f"test/{name}": i / 8 for i, name in enumerate(METRICS)} | {"test/nme": float("nan")}
    table = metric_table(metrics, "inter_ocular")
    shown = dict(zip(table.columns[0].cells, table.columns[1].cells, strict=True))
    assert shown == {name.removeprefix("test/"): f"{value:.4f}" for name, value in metrics.items()} | {"nme": "-"}
    assert set(metric_table({}, "box").columns[1].cells) == {"-"}
    assert "mean point error / inter ocular" in table.columns[2].cells


def test_a_small_metric_keeps_its_digits() -> None:
    cells = list(
        metric_table({"test/mse": 0.0000357, "test/mae": 0.0061, "test/failure_rate": 0.0}, "box").columns[1].cells
    )
    assert {"3.6e-05", "0.0061", "0.0000"} <= set(cells)
