"""The room's face."""

from hookspan import egress


def test_public_names():
    """What other rooms may use is this and no more."""
    assert sorted(egress.__all__) == ["Egress", "EgressSettings", "Target"]
