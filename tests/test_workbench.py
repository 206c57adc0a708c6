from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.loading.data_options import DataOptions
from engine.loading.open_checkpoint import CheckpointOptions
from engine.methods.cam_training.result import ImageMasks
from engine.methods.evaluation import EVALUATION, FEATURES
from engine.methods.evaluation.settings import EvaluationSettings, FeatureSettings
from engine.runs.run import Outcome
from engine.subject.preprocessing import Preprocessing
from engine.workbench import Opened, Workbench
from tests.made import colour_folder, colour_weights

ROOT = Path(__file__).parents[1]
OPTIONS = CheckpointOptions(architecture="mlp", classes=("red", "green", "blue"))


@pytest.fixture
def bench(home):
    bench = Workbench(home)
    yield bench
    bench.worker.close()


@pytest.fixture
def opened(bench, tmp_path) -> Opened:
    torch.save(colour_weights(), tmp_path / "colours.pth")
    dataset = bench.add_images(colour_folder(tmp_path / "photos", each=12), DataOptions(seen="yes"))
    return Opened(bench.add_checkpoint(tmp_path / "colours.pth", OPTIONS, bench.images(dataset)), dataset)


def evaluated(bench, subject, role="train"):
    bench.ask(EVALUATION, subject, EvaluationSettings(role)).future.result(60)
    return bench.answer(EVALUATION, subject, EvaluationSettings(role))


def test_a_question_is_computed_once_and_found_by_the_next_start(bench, opened, home):
    subject = bench.subject(opened)
    assert bench.answer(EVALUATION, subject, EvaluationSettings("train")) is None
    first = evaluated(bench, subject)
    assert first.summary.accuracy.value == 1.0
    again = Workbench(home)
    bench.remember_opened(opened)
    assert again.last_opened() == opened
    found = again.answer(EVALUATION, again.subject(opened), EvaluationSettings("train"))
    np.testing.assert_array_equal(found.loss, first.loss)
    assert found.summary.per_class == first.summary.per_class


def test_after_a_restart_a_known_answer_needs_no_torch(bench, opened, home):
    evaluated(bench, bench.subject(opened))
    bench.remember_opened(opened)
    program = (
        "import sys\n"
        "from engine.workbench import Workbench\n"
        "from engine.methods.evaluation import EVALUATION\n"
        "from engine.methods.evaluation.settings import EvaluationSettings\n"
        "bench = Workbench()\n"
        "found = bench.answer(EVALUATION, bench.subject(bench.last_opened()), EvaluationSettings('train'))\n"
        "print(found.summary.accuracy.n, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["36", "False"]


def test_the_seed_s_numbers_don_t_depend_on_what_ran_before(bench, opened):
    subject = bench.subject(opened)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    evaluated(bench, subject)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_local_path_is_read_again_only_if_it_changed(bench, tmp_path, monkeypatch):
    folder = colour_folder(tmp_path / "photos", each=6)
    first = bench.add_images(folder, DataOptions())
    (folder / "train" / "red" / "0.png").unlink()
    second = bench.add_images(folder, DataOptions())
    assert second != first
    monkeypatch.setattr("engine.loading.datasets.load_images", lambda *arguments: pytest.fail("read again"))
    assert bench.add_images(folder, DataOptions()) == second


def test_other_preprocessing_is_another_classifier_with_the_same_weights(bench, opened):
    before = bench.subject(opened)
    changed = Preprocessing(3, 20, 20, (0.5,) * 3, (0.5,) * 3)
    model = bench.change_model(opened.model, "colours, centred", before.blueprint.classes, changed)
    after = bench.subject(Opened(model, opened.dataset))
    assert after.fingerprint != before.fingerprint
    assert after.blueprint.weights == before.blueprint.weights
    assert after.classifier.blueprint.preprocessing == changed
    bench.forget_model(opened.model)
    assert bench.subject(Opened(model, opened.dataset)).classifier is not None


def test_forgetting_removes_model_data_runs_and_uploads(bench, opened, home):
    evaluated(bench, bench.subject(opened))
    bench.forget_dataset(opened.dataset)
    with pytest.raises(KeyError, match="was forgotten"):
        bench.images(opened.dataset)
    bench.forget_model(opened.model)
    assert bench.store.register.entries() == []
    assert list((home / "files").iterdir()) == []
    assert bench.last_opened() is None


def test_an_uploaded_zip_keeps_its_images_in_its_own_folder_and_goes_with_it(bench, tmp_path, home):
    import shutil

    archive = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", colour_folder(tmp_path / "photos")))
    upload = bench.keep_upload([("photos.zip", io.BytesIO(archive.read_bytes()))], archive.stat().st_size)
    dataset = bench.add_images(bench.upload_path(upload), DataOptions(), upload)
    assert len(bench.images(dataset)) == 36
    again = Workbench(home)
    assert again.images(dataset).read([0]).shape == (1, 3, 16, 16)
    bench.drop_upload(upload)
    assert (home / "files" / upload).exists()  # the data needs it
    bench.forget_dataset(dataset)
    assert not (home / "files" / upload).exists()


def test_an_uploaded_list_reaches_no_file_outside_its_folder(bench, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    listing = f"file_name,label\n{secret},a\n".encode()
    upload = bench.keep_upload([("list.csv", io.BytesIO(listing))], len(listing))
    with pytest.raises(ValueError, match="lies outside the folder of the list"):
        bench.add_images(bench.upload_path(upload), DataOptions(), upload)


def test_classes_that_do_not_fit_are_said_before_anything_is_computed(bench, opened, tmp_path):
    folder = tmp_path / "other"
    colour_folder(folder)
    options = DataOptions(renamed={"red": "crimson"})
    dataset = bench.add_images(folder, options)
    with pytest.raises(ValueError, match="images of crimson, which it doesn't know"):
        bench.subject(Opened(opened.model, dataset))


def test_a_running_job_is_stopped_before_its_model_is_forgotten(bench, opened, monkeypatch):
    subject = bench.subject(opened)
    started = threading.Event()

    def slow(subject, settings, progress):
        for _ in progress.steps(10_000, "waiting"):
            started.set()
            time.sleep(0.01)

    monkeypatch.setattr("engine.methods.evaluation.features.features", slow)
    job = bench.ask(FEATURES, subject, FeatureSettings())
    assert started.wait(30)
    bench.forget_model(opened.model)
    assert job.outcome == Outcome.CANCELLED
    assert bench.store.register.entries() == []


def test_two_benches_on_one_folder_see_each_other_s_answers(bench, opened, home):
    other = Workbench(home)
    evaluated(bench, bench.subject(opened))
    assert other.answer(EVALUATION, other.subject(opened), EvaluationSettings("train")) is not None
    other.worker.close()


def test_a_killed_process_leaves_its_run_interrupted_and_it_can_be_asked_again(bench, opened, home, monkeypatch):
    monkeypatch.setattr("engine.runs.register.LEASE_SECONDS", 1.0)
    bench.remember_opened(opened)
    program = (
        "import os, time\n"
        "import engine.methods.evaluation.evaluate as step\n"
        "from engine.methods.evaluation import EVALUATION\n"
        "from engine.methods.evaluation.settings import EvaluationSettings\n"
        "from engine.workbench import Workbench\n"
        "real = step.predict\n"
        "def killed(*arguments, **named):\n"
        "    if killed.calls: os._exit(9)\n"
        "    killed.calls += 1\n"
        "    return real(*arguments, **named)\n"
        "killed.calls = 0\n"
        "step.predict, step.PIECE_IMAGES = killed, 20\n"
        "bench = Workbench()\n"
        "bench.ask(EVALUATION, bench.subject(bench.last_opened()), EvaluationSettings('train')).future.result()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    time.sleep(1.2)
    (entry,) = bench.store.register.entries()
    assert entry.outcome == Outcome.INTERRUPTED
    monkeypatch.setattr("engine.methods.evaluation.evaluate.PIECE_IMAGES", 20)
    computed = []
    from engine.methods.evaluation import evaluate as step

    real = step.predict
    monkeypatch.setattr(step, "predict", lambda *a, **k: computed.append(len(a[2])) or real(*a, **k))
    assert evaluated(bench, bench.subject(opened)).summary.accuracy.n == 36
    assert computed == [16]  # the first piece was kept


def zipped(folder: Path) -> bytes:
    import shutil

    return Path(shutil.make_archive(str(folder), "zip", folder)).read_bytes()


def test_data_that_is_uploaded_again_is_read_where_it_lies_now(bench, opened, tmp_path, home):
    content = zipped(colour_folder(tmp_path / "again"))
    for name in ("first.zip", "second.zip"):
        upload = bench.keep_upload([(name, io.BytesIO(content))], len(content))
        dataset = bench.add_images(bench.upload_path(upload), DataOptions(), upload)
        assert bench.subject(Opened(opened.model, dataset)).images.read([0]).shape == (1, 3, 16, 16)
    assert [folder.name for folder in (home / "files").iterdir() if folder.is_dir()] == [upload]


def test_a_zip_that_has_no_room_leaves_no_upload_behind(bench, tmp_path, home):
    content = zipped(colour_folder(tmp_path / "large"))
    upload = bench.keep_upload([("large.zip", io.BytesIO(content))], len(content))
    bench.store.quota_bytes = bench.store.database.bytes_used()
    with pytest.raises(ValueError, match="there is no room"):
        bench.add_images(bench.upload_path(upload), DataOptions(), upload)
    assert list((home / "files").iterdir()) == []


def fix_of(bench, subject, change, **kept):
    """A fix whose weights are the subject's, the first tensor moved by `change`."""
    from safetensors.torch import save

    tensors = {name: tensor.clone() for name, tensor in subject.classifier.network.state_dict().items()}
    next(iter(tensors.values())).add_(change)
    return bench.keep_fix(subject, save(tensors), **kept)


def test_a_fix_is_kept_with_its_parent_and_has_seen_what_it_and_its_parents_trained_on(bench, opened):
    subject = bench.subject(opened)
    images = subject.images
    pool = images.indices("pool")
    first, second = images.ids[pool[:1]].tolist(), images.ids[pool[1:3]].tolist()
    fix = fix_of(bench, subject, 0.1, name="mended", run="r1", trained_on=first)
    child = fix_of(bench, bench.subject(Opened(fix, opened.dataset)), 0.2, name="again", run="r2", trained_on=second)
    assert bench.model(fix).parent == opened.model
    assert bench.model(fix).run == "r1"
    assert bench.model(fix).origin == f"fix of {subject.blueprint.name}"
    assert bench.subject(Opened(fix, opened.dataset)).blueprint.name == "mended"
    before = images.seen == 1
    for model, more in ((fix, first), (child, [*first, *second])):
        seen = bench.subject(Opened(model, opened.dataset)).images.seen == 1
        assert set(images.ids[seen & ~before].tolist()) == set(more)
    said = fix_of(bench, subject, 0.7, name="chosen", run="r3", trained_on=(), note="diagnosis decided")
    assert bench.model(said).origin == f"fix of {subject.blueprint.name}; diagnosis decided"
    renamed = bench.change_model(fix, "mended", ("rot", "gruen", "blau"), subject.blueprint.preprocessing)
    assert bench._trained_on(renamed) == tuple(first)
    bench.forget_model(fix)  # what the child was trained on is known all the same
    assert (bench.subject(Opened(child, opened.dataset)).images.seen == 1).sum() == before.sum() + 3


def test_weights_of_another_network_are_no_fix(bench, opened):
    from safetensors.torch import save

    with pytest.raises(ValueError, match="not those of a mlp"):
        bench.keep_fix(bench.subject(opened), save({"other": torch.zeros(3)}), "x", "", ())


def test_what_is_kept_beside_a_data_set_is_found_by_its_content_and_goes_with_the_set(bench, opened, home):
    masks = ImageMasks(np.array(["a"]), np.zeros((1, 4, 4), np.uint8))
    assert bench.beside(opened.dataset, "masks", ImageMasks) is None
    bench.keep_beside(opened.dataset, "masks", masks)
    found = Workbench(home).beside(opened.dataset, "masks", ImageMasks)
    np.testing.assert_array_equal(found.value.inside, masks.inside)
    masks.inside[0, 0, 0] = 1
    bench.keep_beside(opened.dataset, "masks", masks)
    assert bench.beside(opened.dataset, "masks", ImageMasks).fingerprint != found.fingerprint
    bench.forget_dataset(opened.dataset)
    assert bench.beside(opened.dataset, "masks", ImageMasks) is None


def test_a_demo_is_known_as_such_and_drawn_anew_only_when_called(bench):
    opened = bench.open_demo("backgrounds")
    assert bench.demo_of(opened.dataset) == "backgrounds"
    masks = bench.planted_masks("backgrounds", 0).value
    np.testing.assert_array_equal(masks.ids, bench.images(opened.dataset).ids)
    assert (masks.inside > 0).sum(axis=(1, 2)).tolist() == [18 * 18] * len(masks.ids)
    assert bench.planted_masks("digits", 0) is None
    drawn = bench.demo_images("backgrounds", 3)
    assert drawn.fingerprint != bench.demo_images("backgrounds", 4).fingerprint
    assert len(drawn.value()) == len(masks.ids)


def test_weights_are_drawn_from_a_seed(bench, opened):
    subject = bench.subject(opened)
    first, again, other = (subject.from_scratch(seed).network.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
