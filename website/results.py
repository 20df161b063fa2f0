"""Pages of the recorded results: what each study found, and what each device did."""

from effnet_edu import figures, studies
from effnet_edu.course.report import SECTIONS
from effnet_edu.studies.provenance import Provenance
from effnet_edu.studies.registry import study
from effnet_edu.studies.result import StudyResult


def recorded_studies() -> list[StudyResult]:
    """Return every study with a recorded result."""
    found = []
    for name in studies.list_studies():
        try:
            found.append(studies.read(name))
        except FileNotFoundError:
            continue
    return found


def study_page(result: StudyResult) -> str:
    """Return what a study asked and found as a page in MyST.

    Args:
        result: The study.
    """
    label = f"{result.label[0].upper()}{result.label[1:]}."
    lines = [
        f"# {study(result.name).title}",
        f"**{result.question}** {label}",
        raw(figures.study(result)._repr_html_()),
    ]
    lines += ["## What it found, and what it cannot show", "\n".join(f"- {line}" for line in result.summary)]
    lines += ["## Where the numbers come from", _source(result.provenance)]
    return "\n\n".join(lines) + "\n"


def device_page(name: str) -> str:
    """Return what a device did as a page in MyST.

    Args:
        name: Of its folder.
    """
    records = studies.recorded_devices()[name]
    first = next(iter(records.values())).provenance
    lines = [
        f"# {first.device}",
        "Medians with the 95% interval of the median; computed numbers are exact, published ones carry their "
        "source. All networks have random weights.",
    ]
    for section in SECTIONS:
        if section.experiment in records:
            lines += [f"## {section.title}", section.sentence]
            lines += map(raw, section.in_html(records))
            lines.append(_source(records[section.experiment].provenance))
    return "\n\n".join(lines) + "\n"


def _source(about: Provenance) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about.versions.items())
    driver = f", driver {about.driver}" if about.driver else ""
    text = (
        f"Recorded on {about.device}{driver} ({about.system}), {about.started[:10]}, in "
        f"{about.wall_seconds:,.0f} s, with {versions}. The same again: `{about.command}`."
    )
    return f":::{{container}} source\n{text}\n:::"


def raw(markup: str) -> str:
    """Return HTML as a block that MyST passes on as it is.

    Args:
        markup: The HTML.
    """
    return f"```{{raw}} html\n{markup}\n```"
