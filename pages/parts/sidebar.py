"""What is loaded, how it is read, and loading something else; on every page."""

from __future__ import annotations

import streamlit as st

from engine.loading.roles import label_conflicts, leakage
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts import bench as session
from pages.parts.edit_classifier import edit_classifier
from pages.parts.load_checkpoint import load_checkpoint
from pages.parts.load_data import load_data
from pages.parts.text import plain

DEMOS = {"digits": "Planted digits", "backgrounds": "Planted backgrounds"}


def sidebar(bench: Workbench) -> None:
    """The whole sidebar below the pages."""
    subject = session.subject()
    chosen(bench)
    if misfit := st.session_state.get("misfit"):
        st.warning(
            "These two don't fit yet, so the page still shows what was open before. Load or choose the one "
            f"that belongs to the other. ({plain(misfit)}.)"
        )
    card(subject)
    st.markdown("##### Load your own")
    load_checkpoint(bench)
    load_data(bench)
    edit_classifier(bench, subject)
    with st.expander("Built-in examples", icon=":material/school:"):
        st.caption(
            "Classifiers with planted faults, to see what each page finds. Their data come from scans that "
            "scikit-learn brings along; nothing is downloaded."
        )
        for name, title in DEMOS.items():
            st.button(title, key=f"demo {name}", on_click=open_demo, args=(bench, name), width="stretch")
    st.caption("Everything stays on this machine: no account, no upload, no statistics.")


def open_demo(bench: Workbench, name: str) -> None:
    """Show a built-in example."""
    found = bench.open_demo(name)
    session.want(found.model, found.dataset)


def chosen(bench: Workbench) -> None:
    """The classifier and the data, to be changed for others that are kept."""
    wanted = st.session_state.wanted
    models = {row.fingerprint: row.name for row in bench.store.shelf.models()}
    datasets = {row.fingerprint: row.name for row in bench.store.shelf.datasets()}
    for key, kept, now in (("model", models, wanted.model), ("dataset", datasets, wanted.dataset)):
        st.session_state[f"choose {key}"] = now if now in kept else next(iter(kept))
    st.selectbox(
        "Classifier",
        list(models),
        format_func=lambda fingerprint: numbered(models, fingerprint),
        key="choose model",
        on_change=lambda: session.want(model=st.session_state["choose model"]),
    )
    st.selectbox(
        "Data",
        list(datasets),
        format_func=lambda fingerprint: numbered(datasets, fingerprint),
        key="choose dataset",
        on_change=lambda: session.want(dataset=st.session_state["choose dataset"]),
    )


def numbered(names: dict[str, str], fingerprint: str) -> str:
    """The name, told apart from others that are the same."""
    name = names.get(fingerprint, "forgotten")
    same = [each for each, other in names.items() if other == name]
    return name if len(same) < 2 else f"{name} · {fingerprint[:6]}"


def card(subject: Subject) -> None:
    """What is loaded, in a few lines, and what was noticed while loading it."""
    blueprint, images = subject.blueprint, subject.images
    wanted = blueprint.preprocessing
    with st.container(border=True):
        st.markdown(
            f"**{plain(blueprint.name)}**: {plain(blueprint.architecture)}, {len(blueprint.classes)} classes, input "
            f"{wanted.height} x {wanted.width} {'grey' if wanted.channels == 1 else 'colour'}"
        )
        st.markdown(
            f"**{plain(images.name)}**: {len(images):,} images, {images.frame.height} x {images.frame.width} "
            f"{'grey' if images.frame.channels == 1 else 'colour'}"
        )
        for sentence in images.remarks:
            st.caption(plain(sentence))
        doubtful = faults(images.fingerprint, images)
        if doubtful:
            with st.popover(f"{len(doubtful):,} doubtful images"):
                st.dataframe(doubtful, hide_index=True)
        if images.skipped:
            with st.popover(f"{len(images.skipped):,} files skipped"):
                st.dataframe(
                    [{"file": each.file_name, "reason": each.reason} for each in images.skipped], hide_index=True
                )


@st.cache_data(show_spinner=False, max_entries=4)
def faults(fingerprint: str, _images: ImageSet) -> list[dict[str, str]]:
    """The images that are in the data with two labels, or in two roles."""
    del fingerprint
    why = (("two labels", label_conflicts(_images)), ("two roles", leakage(_images)))
    return [
        {
            "file": str(_images.names[index]),
            "label": _images.classes[_images.labels[index]] if _images.labels[index] >= 0 else "",
            "role": str(_images.roles[index]),
            "why": f"the same image has {what}",
        }
        for what, indices in why
        for index in indices.tolist()
    ]
