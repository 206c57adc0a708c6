"""What was generated and what was seen, side by side: errors of each label and answer, of both sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt
import streamlit as st

from engine.methods.error_discovery.result import Errors
from engine.runs.run import Input
from pages.parts.draw import draw
from pages.parts.error_discovery.grouping import real_errors
from pages.parts.error_discovery.scene import Made
from pages.parts.error_discovery.words import SOURCES
from pages.parts.saving import captioned
from pages.parts.text import plain

SHOWN, BAND = 16, 26
COLOURS = ("#0072B2", "#D55E00")


def kinds(made: Made, generated: Input) -> None:
    """The most frequent kinds of either source, with what share of the source's errors each is."""
    real = real_errors(made)
    if real is None:
        return
    first, second = generated.value, real.value
    rows = kind_rows((first, second), made.classes)
    if not rows:
        st.info("Neither source has an error.")
        return
    chart, key = kind_chart(rows), made.key(f"kinds {generated.fingerprint} {real.fingerprint}")
    only, both = (len(pairs_of(first).keys() - pairs_of(second).keys()), len(pairs_of(first).keys() & pairs_of(second)))
    st.markdown(
        plain(
            f"{len(first.ids):,} generated errors of {len(pairs_of(first))} kinds, {len(second.ids):,} real ones of "
            f"{len(pairs_of(second))}; {only} kinds were generated but not seen among the real errors."
        )
    )
    draw(chart, key, "Share of each kind of error, generated and real")
    captioned(chart, key, f"The {len(rows) // 2} most frequent kinds; {both} are in both.", "kinds")


def pairs_of(errors: Errors) -> Counter[tuple[int, int]]:
    """How many errors have each label and answer."""
    return Counter(zip(errors.labels.tolist(), errors.predictions.tolist(), strict=True))


def kind_rows(sources: Sequence[Errors], classes: Sequence[str]) -> list[dict[str, Any]]:
    """One row a kind and source: `kind`, `of`, `errors`, `share`, those of the largest shares first."""
    counts = [pairs_of(each) for each in sources]
    share = {pair: max(count[pair] / max(1, count.total()) for count in counts) for pair in set().union(*counts)}
    order = sorted(share, key=lambda pair: (-share[pair], pair))[:SHOWN]
    return [
        {
            "kind": f"{classes[pair[0]]} → {classes[pair[1]]}",
            "of": SOURCES[each.source],
            "errors": count[pair],
            "share": count[pair] / max(1, count.total()),
        }
        for pair in order
        for each, count in zip(sources, counts, strict=True)
    ]


def kind_chart(rows: Sequence[dict[str, Any]]) -> alt.Chart:
    """The rows of `kind_rows` as bars."""
    names = list(SOURCES.values())
    kinds_there = list(dict.fromkeys(row["kind"] for row in rows))
    return (
        alt.Chart(alt.Data(values=list(rows)))
        .mark_bar()
        .encode(
            y=alt.Y("kind:N", sort=kinds_there, title="label → answer", axis=alt.Axis(labelLimit=200)),
            yOffset=alt.YOffset("of:N", sort=names),
            x=alt.X("share:Q", title="share of the source's errors", axis=alt.Axis(format=".0%")),
            color=alt.Color(
                "of:N", title=None, legend=alt.Legend(orient="top"),
                scale=alt.Scale(domain=names, range=list(COLOURS)),
            ),
            tooltip=[
                alt.Tooltip("kind:N"), alt.Tooltip("of:N"), alt.Tooltip("errors:Q", format=","),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        .properties(height=BAND * len(kinds_there) + 70)
    )  # fmt: skip
