"""Rendered sequences: any frame alone is the frame of the whole, and the picture shows what the signals say."""

import pickle
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy.ndimage import grey_dilation, grey_erosion

from thermal_faces import SyntheticSequence
from thermal_faces.ranges.sequence import SEQUENCE_POSE, MotionRanges, PhysiologyRanges
from thermal_faces.video.sequence import SIGNALS
from thermal_landmarks.commands.entry import compose_config
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError

NAMES = get_scheme("face16").landmark_names
STILL: dict[str, Any] = {
    **{name: [0, 0] for name in ("yaw_deg", "pitch_deg", "roll_deg", "shift_mm", "approach_mm")},
    "turns_per_min": [0, 0],
    "talk_mm": [0, 0],
}
FRONTAL = {name: [0, 0] for name in ("yaw_deg", "pitch_deg", "roll_deg")}
BARE = {"glasses_owner": 0, "cap": 0, "beard": 0}


def place(points_px: np.ndarray, name: str) -> np.ndarray:
    return points_px[NAMES.index(name)]


def test_any_frame_alone_is_that_frame_of_the_whole() -> None:
    frames = list(SyntheticSequence(seed=4, subject=1, seconds=0.5, size=(60, 80)))
    assert len(frames) == 15
    alone = SyntheticSequence(seed=4, subject=1, seconds=3, size=(60, 80))
    for index in (14, 0, 7):
        again = alone[index]
        np.testing.assert_array_equal(again.temperature_c, frames[index].temperature_c)
        np.testing.assert_array_equal(again.points_px, frames[index].points_px)
        assert again.signals == frames[index].signals
        assert again.time_s == pytest.approx(index / 30)


def test_only_temporal_noise_is_new_in_the_frames_of_someone_who_does_not_move() -> None:
    stopped = {**STILL, "blinks_per_min": [0, 0]}
    physiology = {"swing_k": [0, 0], "event_height": [0, 0]}
    sensor = {"noise_k": [0.05, 0.05], "pattern_k": [0.2, 0.2]}
    sequence = SyntheticSequence(
        seconds=0.5, size=(60, 80), motion=stopped, physiology=physiology, sensor=sensor, appearance=BARE
    )
    frames = np.stack([frame.temperature_c for frame in sequence])
    deviations = frames.std(axis=0, ddof=1)
    assert np.percentile(deviations, [5, 50, 95]) == pytest.approx([0.035, 0.05, 0.066], abs=0.006)
    assert np.diff(frames.mean(axis=0)[:5]).std() > 0.2  # the fixed pattern doesn't average away


def test_markers_are_rendered_at_the_points_of_a_moving_head() -> None:
    quiet = {"noise_k": [0, 0], "pattern_k": [0, 0], "blur_px": [0.5, 0.5]}
    settings: dict[str, Any] = {"seed": 5, "subject": 2, "seconds": 20, "sensor": quiet, "appearance": BARE}
    plain, marked = SyntheticSequence(**settings), SyntheticSequence(**settings, markers=True)
    errors = []
    for index in (10, 330):
        frame = plain[index]
        difference = marked[index].temperature_c - frame.temperature_c
        for name in ("brow_left", "nasion", "nose_tip", "mouth_left", "lower_lip", "chin"):
            point = place(frame.points_px, name)
            x0, y0 = np.rint(point).astype(int) - 3
            patch = difference[y0 : y0 + 7, x0 : x0 + 7].clip(0)
            patch = (patch - 0.4 * patch.max()).clip(0)
            y, x = np.mgrid[y0 : y0 + 7, x0 : x0 + 7]
            centroid = np.array([(patch * x).sum(), (patch * y).sum()]) / patch.sum()
            errors.append(float(np.linalg.norm(centroid - point)))
    assert max(errors) < 0.7


@pytest.mark.parametrize("per_min", [9.0, 21.0])
def test_breathing_rate_is_recovered_from_the_temperature_at_the_nostrils(per_min: float) -> None:
    regular = {"breaths_drift": [0, 0], "breath_jitter": [0, 0.03], "sigh": 0, "pause": 0, "swing_k": [0.5, 0.5]}
    sequence = SyntheticSequence(
        seed=2,
        seconds=50,
        rate_hz=4,
        size=(120, 160),
        motion=STILL,
        physiology={**regular, "breaths_per_min": [per_min, per_min]},
        pose=FRONTAL,
        appearance=BARE,
    )
    first = sequence[0].points_px
    (left, top), (right, bottom) = place(first, "ala_left"), place(first, "ala_right")
    box = (slice(int(top) - 2, int(bottom) + 12), slice(int(left), int(right) + 1))
    frames = list(sequence)
    temperature = np.array([frame.temperature_c[box].mean() for frame in frames])
    spectrum = np.abs(np.fft.rfft((temperature - temperature.mean()) * np.hanning(len(frames)), 8192))
    rate = 60 * np.fft.rfftfreq(8192, 1 / 4)[spectrum.argmax()]
    assert rate == pytest.approx(np.mean([frame.signals["breaths_per_min"] for frame in frames]), abs=0.5)
    flow = np.array([frame.signals["breathing"] for frame in frames])
    assert np.corrcoef(temperature, flow)[0, 1] < -0.5


def closing_residue_energy(temperature_c: np.ndarray) -> float:
    """Mean squared depth of cold spots smaller than a ring of 9 pixels."""
    y, x = np.mgrid[-4:5, -4:5]
    distance = np.hypot(x, y)
    disc, ring = distance <= 4.5, (distance <= 4.5) & (distance > 3)
    closed = grey_dilation(grey_erosion(temperature_c, footprint=ring), footprint=disc)
    return float(((np.maximum(temperature_c, closed) - temperature_c) ** 2).mean())


def test_perspiration_energy_of_the_upper_lip_follows_the_events() -> None:
    physiology = {"event_gap_s": [8, 12], "event_height": [0.8, 0.9], "resting_perspiration": [0.05, 0.05]}
    sequence = SyntheticSequence(
        seed=1,
        seconds=14,
        rate_hz=2,
        motion=STILL,
        physiology={**physiology, "swing_k": [0.3, 0.3]},
        pose={**FRONTAL, "face_height": [1.4, 1.4]},
        appearance=BARE,
        sensor={"noise_k": [0.03, 0.03]},
    )
    frames = list(sequence)
    energy = []
    for frame in frames:
        left, right = place(frame.points_px, "mouth_left")[0], place(frame.points_px, "mouth_right")[0]
        top, bottom = place(frame.points_px, "subnasale")[1], place(frame.points_px, "upper_lip")[1]
        energy.append(closing_residue_energy(frame.temperature_c[int(top) : int(bottom), int(left) : int(right)]))
    level = np.array([frame.signals["perspiration"] for frame in frames])
    assert np.ptp(level) > 0.5
    assert np.corrcoef(level, np.log(energy))[0, 1] > 0.9


def test_an_event_begins_at_its_onset_and_opens_more_pores_as_it_grows() -> None:
    sequence = SyntheticSequence(seed=6, seconds=60)
    events = sequence.events()["perspiration"]
    assert len(events) >= 2
    level = sequence.perspiration.level
    for event in events:
        before, peak_s = level(event["onset_s"]), event["onset_s"] + event["rise_s"]
        assert level(event["onset_s"] + 0.5) > before
        assert level(peak_s) > max(before, event["height"] * 0.95)
        assert level(peak_s + 2) < level(peak_s)
    signals = [sequence.signals(index) for index in range(0, len(sequence), 15)]
    order = np.argsort([s["perspiration"] for s in signals])
    assert (np.diff(np.array([s["active_pores"] for s in signals])[order]) >= 0).all()
    assert all(s["pore_depth_k"] <= 0 for s in signals)


def test_blinks_close_the_eyes_and_are_seen() -> None:
    sequence = SyntheticSequence(seed=3, seconds=30, motion=STILL, pose=FRONTAL, appearance=BARE)
    blinks = sequence.events()["blinks"]
    assert 5 <= len(blinks) <= 13
    blink = max(blinks[1:], key=lambda b: b["duration_s"])
    closed = sequence[round((blink["onset_s"] + 0.35 * blink["duration_s"]) * 30)]
    open_ = sequence[int(blink["onset_s"] * 30) - 2]
    assert closed.signals["eye_opening"] < 0.3 * open_.signals["eye_opening"]
    inner, outer = place(open_.points_px, "eye_left_inner"), place(open_.points_px, "eye_left_outer")
    x0, x1 = int(min(inner[0], outer[0])), int(max(inner[0], outer[0]))
    y = int(inner[1])
    change = np.abs(closed.temperature_c - open_.temperature_c)
    assert change[y - 8 : y + 5, x0:x1].mean() > 1.5 * change[y - 60 : y - 45, x0:x1].mean()


def test_talking_opens_the_mouth_at_the_rate_of_syllables() -> None:
    talk = {"silence_s": [0, 0], "talk_s": [8, 8], "talk_mm": [8, 8], "syllable_hz": [4, 4]}
    sequence = SyntheticSequence(seed=3, seconds=8, motion={**STILL, **talk}, pose=FRONTAL)
    mouth = np.array([sequence.signals(index)["mouth_mm"] for index in range(len(sequence))])
    spectrum = np.abs(np.fft.rfft(mouth - mouth.mean()))
    assert np.fft.rfftfreq(len(mouth), 1 / 30)[spectrum.argmax()] == pytest.approx(4, abs=0.6)
    gaps = []
    for index in (int(mouth.argmin()), int(mouth.argmax())):
        points, _ = sequence.portrait(index).landmarks()
        gaps.append(place(points, "lower_lip")[1] - place(points, "upper_lip")[1])
    assert gaps[1] > gaps[0] + 3


@pytest.mark.parametrize("seed", range(4))
def test_heads_move_smoothly_and_stay_in_the_frame(seed: int) -> None:
    sequence = SyntheticSequence(seed=seed, subject=seed, seconds=40)
    signals = [sequence.signals(index) for index in range(len(sequence))]
    for name, fastest in (("yaw_deg", 100), ("pitch_deg", 40), ("roll_deg", 10), ("x_px", 60), ("y_px", 60)):
        values = np.array([s[name] for s in signals])
        assert np.ptp(values) > 0.1
        assert np.abs(np.diff(values)).max() * 30 < fastest
        # No jerk from frame to frame: what comes next is nearly what the last step foretells.
        assert np.abs(np.diff(values, 2)).max() < 0.02 * fastest
    inside = []
    for index in range(0, len(sequence), 40):
        points, _ = sequence.portrait(index).landmarks()
        inside.append((points > 0).all() and (points < [640, 480]).all())
    assert np.mean(inside) > 0.9


def test_a_longer_sequence_begins_like_a_shorter_one() -> None:
    short, long = SyntheticSequence(seed=8, seconds=15), SyntheticSequence(seed=8, seconds=120)
    for kind, events in short.events().items():
        assert long.events()[kind][: len(events)] == events
    for index in range(0, len(short), 50):
        assert long.signals(index) == short.signals(index)


def test_subjects_breathe_and_blink_each_in_their_own_way() -> None:
    first, second = (SyntheticSequence(subject=subject, seconds=20) for subject in (0, 1))
    assert first.constants() != second.constants()
    assert first.events()["blinks"] != second.events()["blinks"]
    assert first.fingerprint() != second.fingerprint()
    assert tuple(first.signals(0)) == SIGNALS


def test_breaths_have_shorter_inhalations_and_as_much_air_out_as_in() -> None:
    sequence = SyntheticSequence(seed=1, seconds=60, physiology={"pause": 0})
    flow = np.array([sequence.breathing.flow(time_s) for time_s in np.arange(0, 60, 0.01)])
    assert 0.3 < (flow > 0).mean() < 0.47
    assert abs(flow.mean()) < 0.05 * np.abs(flow).mean()


def test_sighs_are_deep_and_pauses_are_still() -> None:
    always = {"sigh": 1.0, "pause": 1.0, "pause_s": [3, 3], "breath_jitter": [0, 0], "breaths_drift": [0, 0]}
    sequence = SyntheticSequence(seed=1, seconds=60, physiology=always)
    breath = sequence.breathing.breaths[2]
    assert breath.depth >= 1.5
    assert sequence.breathing.flow(breath.onset_s + breath.duration_s + 1.5) == 0
    assert sequence.breathing.rate_per_min(breath.onset_s + breath.duration_s + 1.5) == 0
    assert sequence.breathing.rate_per_min(breath.onset_s + 0.1) == pytest.approx(60 / breath.duration_s)


def test_a_sequence_survives_pickling() -> None:
    sequence = SyntheticSequence(seconds=1, size=(60, 80))
    copy = pickle.loads(pickle.dumps(sequence))
    assert copy.fingerprint() == sequence.fingerprint()
    np.testing.assert_array_equal(copy[3].temperature_c, sequence[3].temperature_c)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"motion": {"blink": [0, 1]}}, "motion.blink is not a setting. Known: .*blinks_per_min"),
        ({"physiology": {"swing_k": [2, 1]}}, "physiology.swing_k=.*lowest, highest"),
        ({"pose": {"jaw_deg": [0, 1]}}, "pose.jaw_deg is not a setting"),
        ({"seconds": 0}, "seconds=0"),
    ],
)
def test_wrong_settings_are_named_with_what_is_known(change: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SyntheticSequence(**change)


def test_frames_outside_the_sequence_are_refused() -> None:
    with pytest.raises(IndexError, match="Frame 30 of a sequence of 30"):
        SyntheticSequence(seconds=1, size=(60, 80))[30]


def test_the_command_takes_its_ranges_from_the_code() -> None:
    config = compose_config("render_sequence", ["motion.talk_mm=[1,2]"])
    for shown, ranges in (
        (config.motion, replace(MotionRanges(), talk_mm=(1, 2))),
        (config.physiology, PhysiologyRanges()),
        (config.data.source.pose, SEQUENCE_POSE),
    ):
        values = {name: tuple(v) if OmegaConf.is_list(v) else v for name, v in shown.items()}
        assert values == asdict(ranges)
