"""What the check of a data set finds: counts, and a list of everything that is wrong or odd."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rich.console import Group
from rich.table import Table
from rich.text import Text

from thermal_landmarks.csv_table import write_table
from thermal_landmarks.data.annotation import Annotation

Severity = Literal["error", "warning"]

_SHOWN_FINDINGS = 20


class Finding(NamedTuple):
    """One thing that is wrong with one item of a data set."""

    severity: Severity  # `error`: training refuses it; `warning`: worth a look
    kind: str  # one word or two, to count by
    image: str  # the image file
    location: str  # where its annotation stands
    reason: str  # what was found and what to do


def finding_at(severity: Severity, kind: str, annotation: Annotation, reason: str) -> Finding:
    """A finding about an annotation."""
    return Finding(severity, kind, str(annotation.image), annotation.location, reason)


@dataclass
class DataReport:
    """What a data set holds, and what is wrong with it."""

    name: str  # of the data set, for headings
    scheme: str  # landmark scheme of its annotations
    faces: int = 0  # annotations
    images: int = 0  # image files that could be read
    subjects: dict[str, int] = field(default_factory=dict)  # faces of each subject
    sizes: dict[tuple[int, int], int] = field(default_factory=dict)  # how many images have which (height, width)
    units: dict[str, int] = field(default_factory=dict)  # how many images are in degrees and in gray levels
    # For each unit the smallest 1st percentile, the median of medians, the greatest 99th percentile
    value_range: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)  # for each landmark the faces in which it is not annotated
    hidden: int = 0  # landmarks annotated but hidden, over all faces
    outside: int = 0  # landmarks outside their image, over all faces
    findings: list[Finding] = field(default_factory=list)  # everything wrong or odd, errors first
    good: list[Annotation] = field(default_factory=list)  # annotations without an error
    image_sizes: dict[Path, tuple[int, int]] = field(default_factory=dict)  # (height, width) of each readable image

    @property
    def bad_items(self) -> list[Finding]:
        """The errors: what training refuses."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """What is worth a look, but no reason to refuse the item."""
        return [finding for finding in self.findings if finding.severity == "warning"]

    def render(self, *, limit: int = _SHOWN_FINDINGS) -> Group:
        """Tables for a terminal: the contents, then the first findings."""
        parts: list[Table | Text | str] = [self._contents()]
        if self.findings:
            parts.append(self._listed(limit))
        errors, warnings = len(self.bad_items), len(self.warnings)
        parts.append(f"{errors} error(s), {warnings} warning(s)." if self.findings else "Nothing wrong found.")
        return Group(*parts)

    def record(self) -> dict[str, Any]:
        """The report as plain data for a JSON file."""
        plain = {k: v for k, v in vars(self).items() if k not in ("good", "image_sizes", "findings", "sizes")}
        return plain | {
            "sizes": {f"{width}x{height}": count for (height, width), count in self.sizes.items()},
            "kinds": dict(Counter(f"{finding.severity}: {finding.kind}" for finding in self.findings)),
            "findings": [finding._asdict() for finding in self.findings],
        }

    def write_findings(self, path: Path) -> None:
        """All findings as CSV."""
        write_table(path, Finding._fields, self.findings)

    def _contents(self) -> Table:
        table = Table(title=self.name, title_justify="left", show_header=False)
        faces = sorted(self.subjects.values())
        table.add_row("faces", f"{self.faces} in {self.images} readable image(s), scheme {self.scheme}")
        if faces:
            middle = faces[len(faces) // 2]
            table.add_row("subjects", f"{len(faces)}; faces a subject: {faces[0]} to {faces[-1]}, median {middle}")
        sizes = Counter(self.sizes).most_common()
        listed = ", ".join(f"{width} x {height} ({count})" for (height, width), count in sizes[:4])
        table.add_row("image sizes", listed + (f" and {len(sizes) - 4} more" if len(sizes) > 4 else "") or "none")
        for unit, (low, median, high) in self.value_range.items():
            name = "degrees Celsius" if unit == "celsius" else "gray levels"
            table.add_row(name, f"{low:.1f} to {high:.1f}, median {median:.1f} ({self.units[unit]} images)")
        absent = {name: count for name, count in self.missing.items() if count}
        worst = sorted(absent, key=lambda name: -absent[name])[:3]
        most = f"; most often {', '.join(f'{name} ({absent[name]})' for name in worst)}" if absent else ""
        table.add_row("missing landmarks", f"{sum(absent.values())}{most}")
        table.add_row("hidden landmarks", str(self.hidden))
        table.add_row("outside the image", str(self.outside))
        return table

    def _listed(self, limit: int) -> Text:
        text = Text()
        for finding in self.findings[:limit]:
            place = finding.location or finding.image
            where = "" if place in finding.reason else f"{place}: "
            text.append(finding.severity, style="red" if finding.severity == "error" else "yellow")
            text.append(f" ({finding.kind}) {where}{finding.reason}\n")
        if len(self.findings) > limit:
            text.append(f"... and {len(self.findings) - limit} more in findings.csv\n")
        return text
