import math
from functools import partial

import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.training.schedules import cosine, multistep, plateau


def rates(schedule, steps=100, steps_per_epoch=10):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    config = schedule(optimizer, total_steps=steps, steps_per_epoch=steps_per_epoch)
    assert config["interval"] == "step"
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        config["scheduler"].step()
    return found


def test_cosine_rises_in_equal_steps_then_follows_half_a_cosine_to_its_end():
    found = rates(partial(cosine, warmup_epochs=2, final_fraction=0.1))
    assert found[:20] == pytest.approx([2 * (i + 1) / 21 for i in range(20)])
    assert found[20] == pytest.approx(2)
    assert found[59] == pytest.approx(2 * (0.1 + 0.9 * (1 + math.cos(math.pi * 39 / 79)) / 2))
    assert found[-1] == pytest.approx(0.2)


def test_a_short_training_warms_up_for_a_third_at_most():
    found = rates(partial(cosine, warmup_epochs=5), steps=9, steps_per_epoch=3)
    assert max(found) == found[3] == pytest.approx(2)


def test_multistep_drops_at_fractions_of_the_training():
    found = rates(partial(multistep, milestones=[0.5, 0.75], gamma=0.1))
    assert (found[49], found[50], found[74], found[75]) == pytest.approx((2, 0.2, 0.2, 0.02))


def test_multistep_refuses_epochs():
    with pytest.raises(ConfigError, match="fractions"):
        rates(partial(multistep, milestones=[50, 75]))


def test_constant_stays():
    assert rates(partial(multistep, milestones=[], warmup_epochs=1))[10:] == [2.0] * 90


def test_plateau_halves_the_rate_when_its_metric_stands_still(make_module, make_data, make_trainer):
    # The monitored metric is the rate itself: it stands still in every second epoch.
    module = make_module(
        optimizer=partial(torch.optim.SGD, lr=1e-3),
        scheduler=partial(plateau, gamma=0.5, patience=0, monitor="train/learning_rate"),
    )
    trainer = make_trainer(max_epochs=4)
    trainer.fit(module, make_data())
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.25e-3)
