"""The one door to the engine: load, ask, wait, look. Importing it, and asking what is known, loads no torch."""

from __future__ import annotations

import io
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np

from engine.built_in import demo_anew, demo_images, demo_panel, demo_subject
from engine.loading.archives import unpacked_bytes
from engine.loading.kept import KeptImages, from_kept, to_kept
from engine.loading.manifests import TABLES
from engine.loading.open_checkpoint import CheckpointOptions, Examined, examine, open_checkpoint
from engine.runs.database import home_folder
from engine.runs.encoding import content_fingerprint
from engine.runs.progress import Progress
from engine.runs.run import Input, Run, Step
from engine.runs.shelf import DatasetRow, ModelRow
from engine.runs.store import QUOTA_BYTES, Store
from engine.runs.worker import Job, Worker
from engine.subject.blueprint import Blueprint
from engine.subject.image_set import Seen
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined

if TYPE_CHECKING:
    from torch import Tensor

    from engine.loading.data_options import DataOptions
    from engine.methods.cam_training.result import ImageMasks
    from engine.methods.error_discovery.oracle import Panel
    from engine.subject.classifier import Classifier
    from engine.subject.image_set import ImageSet

S = TypeVar("S")
R = TypeVar("R")
UNPACKED = "unpacked"  # the folder, beside an uploaded archive, of its files
DEMOS = ("digits", "backgrounds")
LOADED = "loaded from "  # how the origin of a checkpoint begins
OPEN_SETS = 3  # image sets whose columns stay in memory


@dataclass(frozen=True)
class Opened:
    """What is loaded: the fingerprints of a kept model and a known data set."""

    model: str
    dataset: str


@dataclass(frozen=True)
class TrainedOn:
    """The ids of the images that a fix was trained or chosen on."""

    ids: tuple[str, ...]


class Workbench:
    """Everything a page or a command asks of the engine, on one data folder."""

    def __init__(self, home: Path | None = None, quota_bytes: int = QUOTA_BYTES) -> None:
        self.store = Store(home or home_folder(), quota_bytes)
        self.worker = Worker(self.store)
        self._sets: OrderedDict[str, ImageSet] = OrderedDict()
        self._subjects: OrderedDict[tuple[str, str, str], Subject] = OrderedDict()
        self._beside: dict[tuple[str, str], Input] = {}
        self._sets_lock = threading.Lock()
        self._quick_lock = threading.Lock()
        self._quick: Subject | None = None

    # What is loaded

    def open_demo(self, name: str) -> Opened:
        """A built-in classifier with its data; drawn and kept the first time, found again after."""
        from engine.loading import demos

        if known := self.known_demo(name):
            return known
        classifier, images = demos.open_demo(name)
        opened = Opened(
            self.add_model(classifier, origin=f"built in: {name}"), self._add_images(images, {"demo": name})
        )
        self.store.shelf.remember(f"demo {name} {demos.VERSION}", asdict(opened))
        return opened

    def known_demo(self, name: str) -> Opened | None:
        """A built-in example, if it was opened before and is still there."""
        from engine.loading import demos

        known = self.store.shelf.recall(f"demo {name} {demos.VERSION}")
        return Opened(**known) if known and self._is_there(Opened(**known)) else None

    def last_opened(self) -> Opened | None:
        """What was loaded when the program last ran, if it is still there."""
        known = self.store.shelf.recall("opened")
        return Opened(**known) if known and self._is_there(Opened(**known)) else None

    def remember_opened(self, opened: Opened) -> None:
        """Open this again after a restart."""
        self.store.shelf.remember("opened", asdict(opened))

    def add_model(self, classifier: Classifier, origin: str, parent: str = "", run: str = "") -> str:
        """Keep a classifier; returns its fingerprint."""
        from safetensors.torch import save

        tensors = {name: tensor.cpu().contiguous() for name, tensor in classifier.network.state_dict().items()}
        data = save(tensors)
        self.store.check_room(len(data))
        file = self.store.database.keep_file(io.BytesIO(data), ".safetensors")
        return self._add_model_row(classifier.blueprint, file, origin, parent, run)

    def keep_fix(
        self, subject: Subject, weights: bytes, name: str, run: str, trained_on: Sequence[str], note: str = ""
    ) -> str:
        """Keep a classifier that a run made from the subject's, with the ids it trained or chose on.

        `weights` are the bytes of a safetensors file, `note` what else is to be known of where it comes from. Returns
        its fingerprint; with this classifier those images, like all that its parents trained on, count as seen.
        """
        from engine.loading.checkpoints import with_weights

        classifier = with_weights(subject.blueprint, weights, name)
        origin = "; ".join(filter(None, (f"fix of {subject.blueprint.name}", note)))
        model = self.add_model(classifier, origin=origin, parent=subject.model, run=run)
        ids = tuple(dict.fromkeys((*self._trained_on(subject.model), *trained_on)))
        self._remember_trained_on(model, ids)
        return model

    def keep_beside(self, dataset: str, name: str, value: Any) -> None:
        """Keep what a person gave with a data set (masks, say), a dataclass of arrays; it is forgotten with the set."""
        self.store.documents.save(f"{name} of {dataset}", dataset, value)
        with self._sets_lock:
            self._beside[dataset, name] = Input(content_fingerprint(value), value)

    def beside(self, dataset: str, name: str, kind: type[R]) -> Input | None:
        """What was kept with a data set, as the input of a step; None where there is nothing."""
        with self._sets_lock:
            held = self._beside.get((dataset, name))
        if held is not None:
            return held
        value = self.store.documents.find(f"{name} of {dataset}", kind)
        if value is None:
            return None
        with self._sets_lock:
            return self._beside.setdefault((dataset, name), Input(content_fingerprint(value), value))

    def demo_of(self, dataset: str) -> str:
        """The built-in example whose images these are, "" where they are none's."""
        rows = self.store.shelf.datasets()
        return next((row.source.get("demo", "") for row in rows if row.fingerprint == dataset), "")

    @staticmethod
    def demo_images(name: str, seed: int) -> Input:
        """A built-in example's images drawn anew, as the input of a step: a function that draws them when called."""
        return demo_images(name, seed)

    @staticmethod
    def demo_anew(name: str, seed: int) -> dict[str, Input]:
        """A built-in example's `images` and `classifier`, drawn and trained anew when called, as inputs of a step."""
        return demo_anew(name, seed)

    def demo_subject(self, name: str, seed: int, progress: Progress) -> Subject:
        """A built-in example's images and classifier drawn anew, not among what is loaded; 0 is the shipped one."""
        return demo_subject(self.store.documents, name, seed, progress)

    def demo_panel(self, name: str, progress: Progress) -> Panel:
        """The oracle of a built-in example, trained the first time; ValueError where it has none."""
        return demo_panel(self.store.documents, name, progress)

    @staticmethod
    def planted_masks(demo: str, seed: int) -> Input | None:
        """The masks of the plates of the built-in backgrounds that this seed draws; None for another example."""
        if demo != "backgrounds":
            return None
        masks = _plates(seed)
        return Input(content_fingerprint(masks), masks)

    def examine_checkpoint(self, path: Path) -> Examined:
        """What a checkpoint could be; ValueError in one sentence where it can't be used."""
        return examine(path)

    def add_checkpoint(self, path: Path, options: CheckpointOptions, images: ImageSet | None) -> str:
        """Open a checkpoint and keep the classifier; returns its fingerprint."""
        return self.add_model(open_checkpoint(path, options, images), origin=f"{LOADED}{path.name}")

    def export_model(self, model: str, kind: str) -> bytes:
        """A kept classifier as a file that opens again without a question; kind is `safetensors` or `pt`."""
        from engine.loading.checkpoints import rebuild, to_pt, to_safetensors

        row = self.model(model)
        blueprint = replace(Blueprint.from_json(row.blueprint), name=row.name)
        classifier = rebuild(blueprint, self._weights(row.file))
        return to_safetensors(classifier) if kind == "safetensors" else to_pt(classifier)

    def change_model(self, model: str, name: str, classes: tuple[str, ...], preprocessing: Preprocessing) -> str:
        """The same weights with other class names or preprocessing, kept beside the first; returns its fingerprint."""
        from engine.loading.checkpoints import check_size

        row = self.model(model)
        blueprint = replace(Blueprint.from_json(row.blueprint), name=name, classes=classes, preprocessing=preprocessing)
        check_size(blueprint)
        changed = self._add_model_row(blueprint, row.file, row.origin, row.parent, row.run)
        if (ids := self._trained_on(model)) and changed != model:
            self._remember_trained_on(changed, ids)
        return changed

    def keep_upload(self, files: Sequence[tuple[str, BinaryIO]], size: int) -> str:
        """Copy uploaded files that belong together into the data folder; `size` in bytes; returns the upload's name."""
        self.store.check_room(size)
        return self.store.database.keep_folder(files)

    def upload_path(self, upload: str) -> Path:
        """Where an upload lies: the file, or the folder where there are several.

        A list of images is read as part of its folder, for then it reaches no file of this machine outside it.
        """
        folder = self.store.database.files / upload
        files = [path for path in folder.iterdir() if path.name != UNPACKED]
        return files[0] if len(files) == 1 and files[0].suffix.lower() not in TABLES else folder

    def drop_upload(self, upload: str) -> None:
        """Remove an upload that nothing needs any more; "" is none."""
        if upload and all(row.file != upload for row in self.store.shelf.datasets()):
            self.store.database.drop_file(upload)

    def add_images(self, path: Path, options: DataOptions, upload: str = "", progress: Progress | None = None) -> str:
        """Load a data set from a local path, or from an upload's; returns its fingerprint."""
        from engine.loading.datasets import load_images, signature

        path = path.expanduser().absolute()
        source = {"path": "" if upload else str(path), "options": options.to_json()}
        # an IDX file has a partner beside it and a list its images, so their folder is what may change
        whole = path if path.is_dir() or path.suffix.lower() in (".zip", ".npz") else path.parent
        state = "" if upload or not path.exists() else signature(whole)
        for row in self.store.shelf.datasets():
            if state and row.signature == state and row.source == json.loads(json.dumps(source)):
                return row.fingerprint
        kept = upload or (state if path.suffix.lower() == ".zip" else "")
        try:
            if path.suffix.lower() == ".zip":
                self.store.check_room(unpacked_bytes(path))
            images = load_images(path, options, self.store.database.files / kept / UNPACKED if kept else None, progress)
            return self._add_images(images, source, state, kept)
        except BaseException:  # a stop, too, must leave nothing behind
            self.drop_upload(kept)
            raise

    def model(self, fingerprint: str) -> ModelRow:
        """A kept model; KeyError if it was forgotten."""
        return next((row for row in self.store.shelf.models() if row.fingerprint == fingerprint), None) or _gone(
            fingerprint
        )

    def images(self, dataset: str) -> ImageSet:
        """A known data set; KeyError if it was forgotten."""
        with self._sets_lock:
            if dataset not in self._sets:
                kept = self.store.documents.find(dataset, KeptImages)
                self._sets[dataset] = from_kept(kept) if kept else _gone(dataset)
                while len(self._sets) > OPEN_SETS:
                    self._sets.popitem(last=False)
            self._sets.move_to_end(dataset)
            return self._sets[dataset]

    def subject(self, opened: Opened) -> Subject:
        """The classifier and its images together; ValueError where they don't fit, KeyError where one is gone.

        The same object as long as both are kept, so that what it has worked out of its images stays known.
        """
        row = self.model(opened.model)
        images = self.images(opened.dataset)
        with self._sets_lock:
            key = (row.fingerprint, row.name, opened.dataset)
            if key not in self._subjects:
                self._subjects[key] = self._joined(row, images, opened)
                while len(self._subjects) > OPEN_SETS:
                    self._subjects.popitem(last=False)
            self._subjects.move_to_end(key)
            return self._subjects[key]

    def forget_model(self, fingerprint: str) -> None:
        """Remove a model and every run on it."""
        self._stop(lambda job: job.model == fingerprint)
        self.store.forget_model(fingerprint)

    def forget_dataset(self, fingerprint: str) -> None:
        """Remove a data set, what was uploaded for it, and every run on it."""
        self._stop(lambda job: job.dataset == fingerprint)
        with self._sets_lock:
            self._sets.pop(fingerprint, None)
            self._subjects.clear()
            self._beside = {key: value for key, value in self._beside.items() if key[0] != fingerprint}
        self.store.forget_dataset(fingerprint)

    # What is asked

    @staticmethod
    def question(
        step: Step[S, R], subject: Subject, settings: S, inputs: Mapping[str, Input] | None = None, seed: int = 0
    ) -> Run:
        """The run that asks this."""
        said = asdict(settings)  # type: ignore[call-overload]
        named = {name: each.fingerprint for name, each in (inputs or {}).items()}
        return Run(step.name, step.version, subject.fingerprint, said, named, seed)

    def answer(
        self, step: Step[S, R], subject: Subject, settings: S, inputs: Mapping[str, Input] | None = None, seed: int = 0
    ) -> R | None:
        """What was found when this was asked before, or None."""
        return self.store.result(self.question(step, subject, settings, inputs, seed), step.result)

    def ask(
        self, step: Step[S, R], subject: Subject, settings: S, inputs: Mapping[str, Input] | None = None, seed: int = 0
    ) -> Job:
        """Queue a question for the worker, which answers it on its own copy of the network."""
        run = self.question(step, subject, settings, inputs, seed)
        own = subject.afresh()
        values = {name: each.value for name, each in (inputs or {}).items()}

        def work(progress: Progress) -> R:
            from engine.toolkit.seeding import seeded

            with seeded(seed):
                return step.run(own, settings, values, progress)

        return self.worker.submit(Job(self.store, run, step.title, subject.model, subject.dataset), work)

    @contextmanager
    def quick(self, subject: Subject) -> Iterator[Subject]:
        """A copy of the subject for answers that take less than a second, one at a time."""
        with self._quick_lock:
            if self._quick is None or self._quick.fingerprint != subject.fingerprint:
                self._quick = subject.afresh()
            yield self._quick

    def _joined(self, row: ModelRow, images: ImageSet, opened: Opened) -> Subject:
        def build(blueprint: Blueprint) -> Classifier:
            from engine.loading.checkpoints import rebuild
            from engine.toolkit.device import best_device

            return rebuild(blueprint, self._weights(row.file)).to(best_device())

        def draw(blueprint: Blueprint, seed: int) -> Classifier:
            from engine.loading.checkpoints import drawn
            from engine.toolkit.device import best_device

            return drawn(blueprint, seed).to(best_device())

        blueprint = replace(Blueprint.from_json(row.blueprint), name=row.name)
        if fix := self._trained_on(row.fingerprint):
            seen = np.where(np.isin(images.ids, fix), Seen.YES, images.seen)
            images = replace(images, seen=seen.astype(np.int8))
        return joined(blueprint, images, build, opened.model, opened.dataset, draw)

    def _remember_trained_on(self, model: str, ids: tuple[str, ...]) -> None:
        self.store.documents.save(f"trained on {model}", model, TrainedOn(ids))

    def _trained_on(self, model: str) -> tuple[str, ...]:
        """The ids that a fix and those before it were trained or chosen on; none of a classifier from a file."""
        found = self.store.documents.find(f"trained on {model}", TrainedOn)
        return found.ids if found else ()

    def _add_model_row(self, blueprint: Blueprint, file: str, origin: str, parent: str, run: str) -> str:
        fingerprint = blueprint.fingerprint
        self.store.shelf.add_model(
            ModelRow(fingerprint, blueprint.name, blueprint.to_json(), file, parent, run, origin)
        )
        return fingerprint

    def _add_images(self, images: ImageSet, source: dict[str, Any], signature: str = "", file: str = "") -> str:
        kept = to_kept(images)
        if kept.array is not None:
            self.store.check_room(kept.array.nbytes)
        fingerprint = images.fingerprint
        before = [row.file for row in self.store.shelf.datasets() if row.fingerprint == fingerprint]
        self.store.documents.save(fingerprint, fingerprint, kept)
        self.store.shelf.add_dataset(DatasetRow(fingerprint, images.name, source, signature, file))
        for old in before:
            self.drop_upload(old)
        with self._sets_lock:
            self._sets.pop(fingerprint, None)
            self._subjects.clear()  # they read where the images lay before
        return fingerprint

    def _weights(self, file: str) -> dict[str, Tensor]:
        from safetensors.torch import load_file

        return load_file(self.store.database.files / file)

    def _is_there(self, opened: Opened) -> bool:
        models = {row.fingerprint for row in self.store.shelf.models()}
        return opened.model in models and opened.dataset in {row.fingerprint for row in self.store.shelf.datasets()}

    def _stop(self, concerns: Callable[[Job], bool]) -> None:
        concerned = [job for job in self.worker.current() if concerns(job)]
        for job in concerned:
            job.cancel()
        wait([job.future for job in concerned])
        with self._quick_lock:
            self._quick = None


@cache
def _plates(seed: int) -> ImageMasks:
    from engine.loading.demos.planted_backgrounds import backgrounds_truth, make_planted_backgrounds
    from engine.methods.cam_training.image_masks import from_boxes

    images = make_planted_backgrounds(seed)
    return from_boxes(images.ids, backgrounds_truth(seed).plates, images.frame.height, images.frame.width)


def _gone(fingerprint: str) -> Any:
    raise KeyError(f"{fingerprint} was forgotten")
