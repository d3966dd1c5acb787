from thermal_faces import SyntheticScenes


def test_a_fingerprint_tells_settings_apart_and_nothing_else() -> None:
    same = SyntheticScenes(images=5, seed=3, crowd={"nobody": 0.2}).fingerprint()
    assert same == SyntheticScenes(images=5, seed=3, crowd={"nobody": 0.2}).fingerprint()
    others = (
        SyntheticScenes(images=6, seed=3, crowd={"nobody": 0.2}),
        SyntheticScenes(images=5, seed=4, crowd={"nobody": 0.2}),
        SyntheticScenes(images=5, seed=3, crowd={"nobody": 0.3}),
        SyntheticScenes(images=5, seed=3, crowd={"nobody": 0.2}, size=(60, 80)),
        SyntheticScenes(images=5, seed=3, crowd={"nobody": 0.2}, sensor={"eight_bit": 0.1}),
    )
    assert len({same, *(other.fingerprint() for other in others)}) == 6
