from dataclasses import replace

import numpy as np
import pytest

from engine.methods.error_discovery.calibration import calibrated
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.identification import identified, seeds_of
from engine.methods.error_discovery.search import neighbours_of, searched
from engine.methods.error_discovery.settings import CalibrationSettings, IdentificationSettings
from engine.runs.progress import Progress
from engine.toolkit.statistics import rate
from tests.methods.error_discovery.made_search import made_generator, made_subject

SETTINGS = CalibrationSettings(scales=(0.05, 0.5, 2.0), images=90, draws=8)


def calibrate(settings=SETTINGS):
    return calibrated(made_subject(), settings, made_generator(), Progress())


def test_more_noise_yields_more_and_preserves_less():
    found = calibrate()
    assert found.scales.tolist() == [0.05, 0.5, 2.0]
    assert (np.diff(found.wrong) > 0).all()
    assert found.preserved[1] > found.preserved[2]
    assert (found.preserved_low[1:] <= found.preserved[1:]).all()
    assert (found.preserved[1:] <= found.preserved_high[1:]).all()
    assert (found.kept <= found.wrong).all()


def test_each_scale_is_the_search_at_that_scale():
    found = calibrate()
    asked = replace(SETTINGS.identification, images=90, draws=8, scale=0.5)
    generator = made_generator()
    searching = identified(made_subject(), asked, generator, Progress())
    assert found.draws[1] == dict(searching.funnel)["draws"]
    assert found.wrong[1] == dict(searching.funnel)["answered wrongly"]
    assert found.kept[1] == len(searching.codes)
    seeds = seeds_of(generator, asked, [])
    decoder, near = Decoder(generator, made_subject()), neighbours_of(generator, asked.neighbours)
    wrong = searched(decoder, generator, near, seeds, np.zeros(len(seeds), bool), asked, Progress())
    twin = rate(wrong.agreement >= asked.agreement, generator.units[wrong.seed])
    assert (found.preserved[1], found.preserved_low[1], found.preserved_high[1]) == (twin.value, twin.low, twin.high)


def test_examples_are_errors_that_were_kept():
    found = calibrate()
    assert found.example_codes.shape == (3, 12, 4)
    for place in range(3):
        there = found.example_labels[place] >= 0
        assert there.sum() == min(12, found.kept[place])
        assert np.array_equal(found.example_predictions[place] >= 0, there)
        decoder = Decoder(made_generator(), made_subject())
        again = decoder.classified(found.example_codes[place][there], found.example_labels[place][there])
        assert np.array_equal(again.predictions, found.example_predictions[place][there])
        assert (again.predictions != found.example_labels[place][there]).all()


def test_where_the_filter_is_off_preservation_is_estimated_all_the_same():
    off = replace(SETTINGS, identification=IdentificationSettings(agreement=0))
    assert calibrate(off).preserved == pytest.approx(calibrate().preserved, nan_ok=True)
