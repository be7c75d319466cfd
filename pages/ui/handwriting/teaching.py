"""Teaching from the page: whose drawings, the button, the progress, and the figures before and after."""

import numpy as np
import streamlit as st

from mnist_core import Evaluation
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import TeachingError, WeightsError
from mnist_core.evaluation.comparison import significance
from mnist_core.evaluation.statistics import SIGNIFICANCE_LEVEL, mcnemar
from mnist_core.runs import jobs
from mnist_core.runs.events import Evaluating, TeachingStep
from mnist_core.runs.finetune import prepare
from mnist_core.runs.folder import FineTuneRequest
from mnist_core.runs.queue import tend_queue
from mnist_core.runs.status import RunStatus, all_runs
from mnist_core.versions import deletion, registry
from mnist_core.versions.active import active_name, previous
from mnist_core.versions.catalogue import title_of
from mnist_core.versions.records import Teaching
from pages.ui.layout import errors_in_words, plain
from pages.ui.models.activation import offer_roll_back, promote_or_ask
from pages.ui.widgets.gallery import digit_gallery
from pages.ui.wording import interval_in_words, name_of_writer

LESSON, DISCARDED = "lesson_run", "lesson_discarded"
MOST_SHOWN = 12  # drawings whose answer became correct, and as many whose answer became wrong


@errors_in_words()
def teach_from_page(store: DrawingStore, mine: str) -> None:
    """Offer teaching, follow it, and show the last outcome for the chosen writers until it is discarded."""
    writers = list(store.writers())
    if not writers:
        return
    st.header("Teach", anchor=False)
    st.markdown(
        "A copy of the active version learns from some of the drawings, mixed with MNIST digits so that it forgets "
        "nothing. It is then tested on the other drawings and on MNIST's test images, and you decide whether to use it."
    )
    chosen = st.multiselect(
        "Whose drawings",
        writers,
        default=[mine] if mine in writers else [],
        format_func=name_of_writer,
        placeholder="Everybody's",
        key=f"teach-writers-{mine}",
    )
    lesson = FineTuneRequest(active_name(), tuple(chosen))
    run = _last_run(lesson.writers)
    busy = run is not None and not run.ended
    _offer_teaching(lesson, busy=busy)
    if busy:
        _follow(lesson.writers)
    elif run is not None:
        _show_outcome(run, store)


def _offer_teaching(lesson: FineTuneRequest, *, busy: bool) -> None:
    """Show the button, or what is missing when there are too few drawings."""
    assignment, missing = None, ""
    try:
        assignment = prepare(lesson)
    except TeachingError as error:
        missing = str(error)
    if st.button("Teach", type="primary", icon=":material/school:", disabled=busy or not assignment) and assignment:
        st.session_state[LESSON] = jobs.start(assignment).id
        st.session_state.pop(DISCARDED, None)
        st.rerun()
    if missing and not busy:
        st.caption(missing)


def _last_run(writers: tuple[str, ...]) -> RunStatus | None:
    """Return the last run that taught these writers' drawings; a failed one only if this visitor started it."""
    if st.session_state.get(DISCARDED) == writers:
        return None
    for run in all_runs():
        started_here = run.id == st.session_state.get(LESSON)
        wanted = started_here or not run.ended or run.state == "finished"
        if wanted and run.fine_tune and run.fine_tune.writers == writers:
            return run
    return None


@st.fragment(run_every="0.4s")
@errors_in_words()
def _follow(writers: tuple[str, ...]) -> None:
    tend_queue()
    run = _last_run(writers)
    if run is None or run.ended:
        st.rerun()
    elif run.state == "queued":
        st.info("Waiting for the run before it to end.", icon=":material/schedule:")
    elif run.of(Evaluating):
        st.progress(1.0, "Testing it on the other drawings and on the test images …")
    elif steps := run.of(TeachingStep):
        st.progress(steps[-1].step / steps[-1].steps, f"Step {steps[-1].step} of {steps[-1].steps}")
    else:
        st.progress(0.0, "Starting …")


def _show_outcome(run: RunStatus, store: DrawingStore) -> None:
    if run.state != "finished":
        st.error(run.message)
        return
    record = registry.read_record(run.folder)
    teaching, name = record.teaching, f"runs/{run.id}"
    if teaching is None:
        return
    st.subheader(_verdict(teaching), anchor=False)
    drawings, test = st.columns(2)
    with drawings:
        _before_and_after("On drawings it has not seen", teaching.before, teaching.after)
    with test:
        _before_and_after("On MNIST's test images", teaching.test_before, record.evaluation)
        _before_any_teaching(teaching)
    title, base = plain(title_of(name)), plain(title_of(teaching.base))
    st.caption(
        f"{title}. Learned from {teaching.taught_with} drawings, of which {teaching.skipped} were skipped because "
        f"their labels are doubtful; tested on {teaching.after.images} others. It started as a copy of {base}."
    )
    _show_changes(teaching, store)
    with st.container(horizontal=True, vertical_alignment="center"):
        if active_name() == name:
            st.success("This version is now active on the Draw page.", icon=":material/check:")
            if before := previous():
                offer_roll_back(plain(title_of(before)))
        else:
            better = teaching.after.correct > teaching.before.correct
            if st.button("Make active", type="primary" if better else "secondary", icon=":material/check:"):
                promote_or_ask(name, title_of(name))
            st.button("Discard", icon=":material/delete:", on_click=_discard, args=[name, teaching.writers])


def _verdict(teaching: Teaching) -> str:
    """Return what teaching did to the drawings that it is tested on, in one sentence."""
    right, wrong, images = len(teaching.newly_right), len(teaching.newly_wrong), teaching.after.images
    more = right - wrong
    if not right and not wrong:
        nothing_to_gain = teaching.before.correct == images
        return "No change: all drawings were correct before" if nothing_to_gain else "No change on these drawings"
    if not more:
        return f"No better: {right} newly correct, {wrong} newly wrong"
    count = f"{abs(more)} {'more' if more > 0 else 'fewer'} of {images} drawings classified correctly"
    if mcnemar(wrong, right) < SIGNIFICANCE_LEVEL:
        return f"{count}: more than chance"
    return f"{count}, which may be chance"


def _before_and_after(title: str, before: Evaluation, after: Evaluation) -> None:
    points = round(100 * (after.accuracy - before.accuracy), 2)
    st.metric(title, f"{before.accuracy:.2%} → {after.accuracy:.2%}", f"{points:+.2f} points" if points else None)
    for when, evaluation in (("Before", before), ("After", after)):
        st.caption(
            f"{when}: {evaluation.correct:,} of {evaluation.images:,} correct, {evaluation.accuracy:.2%} "
            f"({interval_in_words(evaluation)}; {evaluation.on})"
        )


def _before_any_teaching(teaching: Teaching) -> None:
    """Show the figure before any teaching, if that was several versions ago: small losses add up."""
    first = teaching
    try:
        while (earlier := registry.version(first.base).record.teaching) is not None:
            first = earlier
    except WeightsError:  # deleted in the meantime
        return
    if first is not teaching:
        st.caption(f"{plain(title_of(first.base))}, before any teaching: {first.test_before.accuracy:.2%}")


def _show_changes(teaching: Teaching, store: DrawingStore) -> None:
    """Show the drawings whose answer changed."""
    right, wrong = teaching.newly_right, teaching.newly_wrong
    if right or wrong:
        st.markdown(f"{len(right)} newly correct, {len(wrong)} newly wrong. {significance(len(wrong), len(right))}")
    for title, ids in (("Newly correct", right), ("Newly wrong", wrong)):
        found = [drawing for identifier in ids[:MOST_SHOWN] if (drawing := store.get(identifier))]
        if found:
            st.markdown(f"**{title}**")
            digit_gallery(np.stack([drawing.image for drawing in found]), [str(drawing.label) for drawing in found])


@errors_in_words()
def _discard(name: str, writers: tuple[str, ...]) -> None:
    deletion.delete(name)
    st.session_state[DISCARDED] = writers
