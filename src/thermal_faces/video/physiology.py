"""Breathing and perspiration in a sequence, each a formula of time.

A breath is a lobe of inhaled air and a longer one of exhaled air with the same volume; the nostrils follow the air
a little later, cooler while it flows in and warmer while it flows out. A perspiration event rises within seconds and
decays slowly, as electrodermal responses do (Boucsein 2012). Both are drawn event by event, so that a longer sequence
begins like a shorter one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from thermal_faces.randomness import chance, rng, uniform
from thermal_faces.ranges.sequence import PhysiologyRanges
from thermal_faces.video.motion import latest, minimum_jerk


@dataclass(frozen=True)
class Breath:
    """One inhalation, one exhalation, and perhaps a pause."""

    onset_s: float  # start of the inhalation
    duration_s: float  # without the pause
    inhale_share: float  # share of the duration that is inhalation
    depth: float  # relative to an ordinary breath; a sigh is deeper
    pause_s: float  # how long the air rests afterwards

    def flow(self, time_s: float) -> float:
        """Flow of air: 1 at the height of an ordinary inhalation, negative while it flows out."""
        part = (time_s - self.onset_s) / self.duration_s
        if not 0 <= part < 1:
            return 0.0
        if part < self.inhale_share:
            return float(self.depth * np.sin(np.pi * part / self.inhale_share))
        exhale_share = 1 - self.inhale_share
        # As much air flows out as flowed in.
        strength = self.depth * self.inhale_share / exhale_share
        return float(-strength * np.sin(np.pi * (part - self.inhale_share) / exhale_share))


@dataclass(frozen=True)
class Breathing:
    """The breaths of a sequence and what they do to the skin."""

    breaths: tuple[Breath, ...]  # in the order of time, without gaps
    nostril_k: float  # mean temperature of the nostrils relative to the forehead
    swing_k: float  # between the extremes of an ordinary breath
    lag_s: float  # how far the skin lags behind the air
    lip_share: float  # swing of the skin below the nostrils relative to that of the nostrils
    mask_swing_k: float  # of a mask's cloth over nose and mouth
    mask_lag_s: float  # how far it lags behind the air

    def flow(self, time_s: float) -> float:
        """Flow of air at the nostrils: 1 at the height of an ordinary inhalation, negative while it flows out."""
        breath = latest(self.breaths, time_s)
        return 0.0 if breath is None else breath.flow(time_s)

    def rate_per_min(self, time_s: float) -> float:
        """60 over the duration of the breath of this time; 0 in a pause."""
        breath = latest(self.breaths, time_s)
        if breath is None or time_s >= breath.onset_s + breath.duration_s:
            return 0.0
        return 60 / breath.duration_s

    def warming_k(self, time_s: float) -> float:
        """Of the nostrils, around their mean: negative after inhaled air, positive after exhaled air."""
        return -self.swing_k / self._extremes * self.flow(time_s - self.lag_s)

    def mask_k(self, time_s: float) -> float:
        """Warming of a mask's cloth around its mean."""
        return -self.mask_swing_k / self._extremes * self.flow(time_s - self.mask_lag_s)

    @property
    def _extremes(self) -> float:
        """Between the strongest flows of an ordinary breath, inwards and outwards."""
        share = self.breaths[0].inhale_share
        return 1 + share / (1 - share)


@dataclass(frozen=True)
class SweatEvent:
    """One phasic event of perspiration."""

    onset_s: float
    height: float
    rise_s: float
    decay_s: float

    def level(self, time_s: float) -> float:
        since = time_s - self.onset_s
        if since < self.rise_s:
            return self.height * minimum_jerk(since / self.rise_s)
        return float(self.height * 10 ** (-(since - self.rise_s) / self.decay_s))


@dataclass(frozen=True)
class Perspiration:
    """Perspiration at the upper lip in a sequence."""

    resting: float  # level between the events
    events: tuple[SweatEvent, ...]  # in the order of time

    def level(self, time_s: float) -> float:
        """0: no pore is active, 1: all are."""
        dry = 1 - self.resting
        for event in self.events:
            dry *= 1 - event.level(time_s)
        return 1 - dry


def draw_breathing(seed: int, subject: int, ranges: PhysiologyRanges, seconds: float) -> Breathing:
    """The breathing of one sequence."""
    generator = rng(seed, subject, "sequence", "breathing")
    nostril_k, swing_k, lag_s, lip_share = (
        uniform(generator, limits) for limits in (ranges.nostril_k, ranges.swing_k, ranges.lag_s, ranges.lip_share)
    )
    breaths = tuple(_draw_breaths(generator, ranges, seconds))
    of_mask = rng(seed, subject, "sequence", "mask")
    mask = (uniform(of_mask, ranges.mask_swing_k), uniform(of_mask, ranges.mask_lag_s))
    return Breathing(breaths, nostril_k, swing_k, lag_s, lip_share, *mask)


def _draw_breaths(generator: np.random.Generator, ranges: PhysiologyRanges, seconds: float) -> Iterator[Breath]:
    per_min, drift, jitter, inhale_share = (
        uniform(generator, limits)
        for limits in (ranges.breaths_per_min, ranges.breaths_drift, ranges.breath_jitter, ranges.inhale_share)
    )
    period_s, phase = uniform(generator, (60, 180)), 2 * np.pi * generator.random()
    onset_s = -60 / per_min * (1 + generator.random())  # the skin lags: the first breath has begun before
    while onset_s < seconds:
        rate = per_min * (1 + drift * float(np.sin(2 * np.pi * onset_s / period_s + phase)))
        longer, deeper = generator.standard_normal(2).clip(-2, 2) * jitter
        sigh, sigh_depth = chance(generator, ranges.sigh), uniform(generator, ranges.sigh_depth)
        pause, pause_s = chance(generator, ranges.pause), uniform(generator, ranges.pause_s)
        breath = Breath(
            onset_s=onset_s,
            duration_s=60 / rate * (1 + float(longer)) * (1.3 if sigh else 1.0),
            inhale_share=inhale_share,
            depth=(1 + float(deeper)) * (sigh_depth if sigh else 1.0),
            pause_s=pause_s if pause else 0.0,
        )
        yield breath
        onset_s += breath.duration_s + breath.pause_s


def draw_perspiration(seed: int, subject: int, ranges: PhysiologyRanges, seconds: float) -> Perspiration:
    """The perspiration of one sequence."""
    generator = rng(seed, subject, "sequence", "perspiration")
    resting = uniform(generator, ranges.resting_perspiration)
    events = []
    onset_s = uniform(generator, ranges.event_gap_s) * generator.random()
    while onset_s < seconds:
        height, rise_s, decay_s = (
            uniform(generator, limits) for limits in (ranges.event_height, ranges.rise_s, ranges.decay_s)
        )
        events.append(SweatEvent(onset_s, height, rise_s, decay_s))
        onset_s += uniform(generator, ranges.event_gap_s)
    return Perspiration(resting, tuple(events))
