"""Many runs at once: in processes of this machine, and on a Dask cluster."""

import os

import joblib
import pytest

import effnet_edu as ee
from tests.training.easy import TINY, quarters


def trained(seed: int, rate: float) -> tuple[int, float, int]:
    recipe = ee.Recipe(epochs=1, batch_size=32, base_learning_rate=rate)
    run = ee.train(TINY, quarters(64, 0), quarters(32, 1), recipe, seed=seed, device="cpu")
    return seed, run.rows[0].train_loss, os.getpid()


def failing(seed: int) -> int:
    if seed == 2:
        raise ArithmeticError("too steep")
    return seed


SETTINGS = [{"seed": seed, "rate": rate} for seed in (0, 1) for rate in (0.1, 0.4)]


@pytest.mark.thorough
def test_a_sweep_gives_what_a_loop_gives_in_the_same_order() -> None:
    loop = [trained(**setting)[:2] for setting in SETTINGS]  # type: ignore[arg-type]
    assert [result[:2] for result in ee.training.sweep(trained, SETTINGS)] == loop
    spread = ee.training.sweep(trained, SETTINGS, jobs=2)
    assert [result[:2] for result in spread] == loop
    assert os.getpid() not in {result[2] for result in spread}


@pytest.mark.thorough
def test_a_sweep_runs_on_a_dask_cluster() -> None:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        workers = set(client.run(os.getpid).values())
        with joblib.parallel_config(backend="dask"):
            spread = ee.training.sweep(trained, SETTINGS)
    assert [result[:2] for result in spread] == [trained(**setting)[:2] for setting in SETTINGS]  # type: ignore[arg-type]
    assert {result[2] for result in spread} <= workers


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_names_its_setting(jobs: int) -> None:
    with pytest.raises(ArithmeticError, match="too steep") as caught:
        ee.training.sweep(failing, [{"seed": seed} for seed in range(4)], jobs=jobs)
    assert any("{'seed': 2}" in note for note in caught.value.__notes__)
