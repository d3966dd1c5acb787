from types import SimpleNamespace
from typing import Any

import pytest

from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.reporting.dashboard import build_workspace, save_workspace

SETTINGS: dict[str, Any] = {
    "project": "faces",
    "name": "Ours",
    "hyperparameters": ["stem.depth", "optimizer.lr"],
    "scheme": "perinasal6",
}


def test_the_workspace_holds_the_panels_of_the_report() -> None:
    workspace = build_workspace(entity="us", **SETTINGS)
    content = workspace._to_model().spec.model_dump_json(by_alias=True)
    assert [section.name for section in workspace.sections] == [
        "Training",
        "Test",
        "Error of each landmark",
        "Error over size",
        "Search",
        "Pictures",
        "What a network has learned",
    ]
    for part in (
        "test/wing",
        "config:parameters.value",
        "summary:test/nme",
        "config:optimizer.value.lr",
        "test/overlays_worst",
        "visualize/activation",
        *(f"test/pixel_error/{landmark}" for landmark in get_scheme("perinasal6").landmark_names),
    ):
        assert part in content
    assert (workspace.entity, workspace.project, workspace.name) == ("us", "faces", "Ours")


def test_who_is_not_logged_in_is_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    with pytest.raises(ConfigError, match="wandb login"):
        save_workspace(entity="us", **SETTINGS)


def test_the_default_entity_owns_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb
    import wandb_workspaces.workspaces as ws

    saved: list[ws.Workspace] = []

    def save(self: ws.Workspace) -> Any:
        saved.append(self)
        return SimpleNamespace(url="https://wandb.ai/me/faces")

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr(wandb, "Api", lambda: SimpleNamespace(default_entity="me"))
    monkeypatch.setattr(ws.Workspace, "save_as_new_view", save)
    assert save_workspace(entity=None, **SETTINGS) == "https://wandb.ai/me/faces"
    assert [workspace.entity for workspace in saved] == ["me"]


def test_a_refusal_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb
    import wandb_workspaces.workspaces as ws

    def refuse(self: Any) -> None:
        raise wandb.errors.CommError("permission\ndenied")

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr(ws.Workspace, "save_as_new_view", refuse)
    with pytest.raises(ConfigError, match="permission denied"):
        save_workspace(entity="us", **SETTINGS)
