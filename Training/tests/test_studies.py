"""The judge on the sample studies sees them as the pipeline does."""
import json

import numpy as np
import pytest

pytest.importorskip("pydicom")
pytest.importorskip("gdcm")
import on_studies  # noqa: E402


@pytest.mark.parametrize("study, fixed, moving", [("ct-mr", "MR", "CT"), ("pet-ct", "CT", "PT"), ("spect-mr", "MR", "NM")])
def test_each_series_is_normalised_by_its_own_modality(study, fixed, moving):
    truth = json.loads((on_studies.TOP / "sample-studies" / "truth" / f"{study}.json").read_text())
    stacks = [on_studies.Stack(study, truth[part]["series_instance_uid"]) for part in ("fixed", "moving")]
    assert [stack.modality for stack in stacks] == [fixed, moving]
    for stack in stacks:
        if stack.modality == "CT":  # 0 to 80 HU
            assert np.allclose(stack.normalised(np.array([-1000.0, 40.0, 1000.0])), [0, 0.5, 1])


@pytest.mark.parametrize("study", ["ct-mr", "pet-mr", "spect-mr", "pet-ct"])
def test_no_slice_is_lost_to_rounding_at_the_ends_of_its_stack(study):
    truth = json.loads((on_studies.TOP / "sample-studies" / "truth" / f"{study}.json").read_text())
    stack = on_studies.Stack(study, truth["fixed"]["series_instance_uid"])
    rows, columns = stack.values.shape[1:]
    corner = (rows - 1) * stack.spacing * stack.column + (columns - 1) * stack.spacing * stack.row
    for origin, plane in zip(stack.origins, stack.values):
        along = np.linspace(0, 1, 65)[:, None] * corner
        seen = stack.at(origin + along)
        assert seen[0] == pytest.approx(plane[0, 0]) and seen[-1] == pytest.approx(plane[-1, -1])
        assert np.ptp(seen) > 0
