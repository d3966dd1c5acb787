"""Lay out a W&B workspace with the report's panels: `python src/dashboard.py project=thermal-landmarks`."""

from omegaconf import DictConfig

from thermal_landmarks.commands.entry import command


@command("dashboard")
def main(cfg: DictConfig) -> None:
    """Save the workspace and print its address."""
    from thermal_landmarks.reporting.dashboard import save_workspace

    print(f"Workspace: {save_workspace(**{str(key): value for key, value in cfg.items()})}")


if __name__ == "__main__":
    main()
