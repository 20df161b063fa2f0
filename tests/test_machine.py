from dataclasses import replace

import pytest

import effnet_edu as ee
from effnet_edu.course.machine import GIBIBYTE, Machine, advise, look

GOOD = Machine(
    system="Linux x86_64",
    python=(3, 12, 1),
    torch="2.13.0+cpu",
    jupyterlab="4.6.6",
    ipykernel="7.4.0",
    accelerator="NVIDIA H100 (cuda)",
    cores=8,
    memory_free=16 * GIBIBYTE,
    memory_total=32 * GIBIBYTE,
    disk_free=50 * GIBIBYTE,
    has_photographs=True,
)


def check(machine, subject):
    return next(check for check in advise(machine).checks if check.subject == subject)


def test_a_good_machine_is_ready_without_a_word_of_warning():
    report = advise(GOOD)
    assert report.ready
    assert {check.level for check in report.checks} == {"good"}
    assert "NVIDIA H100" in str(report)


@pytest.mark.parametrize(
    ("change", "subject", "level", "advice"),
    [
        ({"python": (3, 10, 4)}, "Python", "problem", "3.11 to 3.13"),
        ({"python": (3, 14, 0)}, "Python", "problem", "3.11 to 3.13"),
        ({"torch": None}, "torch", "problem", "pip install -e ."),
        ({"torch": "2.5.1+cu121"}, "torch", "problem", "2.6 or newer"),
        ({"jupyterlab": None}, "JupyterLab", "note", "command line work without it"),
        ({"ipykernel": "7.3.0"}, "JupyterLab", "problem", "ipykernel>=7.4"),
        ({"accelerator": None}, "device", "note", "keep phi below about 3"),
        ({"memory_free": 2 * GIBIBYTE}, "memory", "note", "stay at batch 1"),
        ({"disk_free": GIBIBYTE}, "disk", "note", "little room"),
        ({"has_photographs": False}, "photographs", "note", "'.[photos]'"),
    ],
)
def test_each_shortcoming_gets_advice(change, subject, level, advice):
    found = check(replace(GOOD, **change), subject)
    assert found.level == level
    assert advice in found.advice
    report = advise(replace(GOOD, **change))
    assert report.ready == (level != "problem")
    assert (subject in report.verdict) == (level == "problem")


def test_one_core_is_not_cores():
    assert "1 core," in check(replace(GOOD, accelerator=None, cores=1), "device").found


def test_this_machine_is_described():
    machine, report = look(), ee.check_machine()
    assert 0 < machine.memory_free <= machine.memory_total
    assert machine.cores >= 1
    assert report.ready, str(report)
    assert len(report.checks) == 8
    shown = report._repr_html_()
    assert shown.count("<tr>") == 9
    assert report.verdict in shown


def test_threads_that_spin_for_ever_are_told_where_there_are_several():
    spins = replace(GOOD, spin_is_bounded=False, cores=2)
    (said,) = [check for check in advise(spins).checks if check.subject == "threads"]
    assert (said.level, said.found) == ("note", "torch was loaded before effnet_edu")
    assert "Import effnet_edu first, or set GOMP_SPINCOUNT=" in said.advice
    for good in (GOOD, replace(spins, cores=1)):
        assert all(check.level == "good" for check in advise(good).checks if check.subject == "threads")


def test_the_report_escapes_what_a_machine_calls_itself():
    assert "A &lt;GPU&gt;" in advise(replace(GOOD, accelerator="A <GPU>"))._repr_html_()
