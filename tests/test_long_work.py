import io

from rich.console import Console

from thermal_landmarks.long_work import counting


def test_a_log_file_gets_nothing_from_a_bar_that_a_terminal_shows() -> None:
    texts = []
    for terminal in (False, True):
        file = io.StringIO()
        with counting("Reading images", 2, console=Console(file=file, force_terminal=terminal)) as done:
            done(2)
        texts.append(file.getvalue())
    assert texts[0] == ""
    assert "Reading images" in texts[1]
