"""Teaching from the page: whose drawings, the button, the progress, and the two headline numbers before and after."""

import numpy as np
import streamlit as st

from mnist_core import Evaluation, deletion, jobs, promotion, registry
from mnist_core.assignments import Lesson
from mnist_core.catalogue import title_of
from mnist_core.comparison import in_words
from mnist_core.drawing_store import DrawingStore
from mnist_core.errors import RunError
from mnist_core.records import Teaching
from mnist_core.run_queue import tend_queue
from mnist_core.runs import RunStatus, all_runs, find_run
from mnist_core.teaching_run import prepare
from pages.ui.gallery import digit_gallery
from pages.ui.layout import errors_in_words
from pages.ui.versions import promote_or_ask

LESSON = "lesson_run"
MOST_SHOWN = 12


@errors_in_words()
def teach_from_page(store: DrawingStore, mine: str) -> None:
    """All of it; the run it started is looked after until it was used or thrown away."""
    writers = list(store.writers())
    if not writers:
        return
    st.header("Teach", anchor=False)
    st.markdown(
        "A copy of the version that answers now learns from a part of the drawings, together with digits of MNIST so "
        "that it forgets nothing. The other part, and MNIST's test images, judge it. Then you choose."
    )
    chosen = st.multiselect(
        "Whose drawings",
        writers,
        default=[mine] if mine in writers else [],
        format_func=lambda name: name or "(no name)",
        placeholder="Everybody's",
        key=f"teach-writers-{mine}",
    )
    run = _lesson_run()
    busy = run is not None and not run.ended
    if st.button("Teach", type="primary", icon=":material/school:", disabled=busy):
        lesson = Lesson(registry.active_name(), tuple(chosen))
        st.session_state[LESSON] = jobs.start(prepare(lesson)).id
        st.rerun()
    if busy:
        _follow()
    elif run is not None:
        _show_outcome(run, store)


def _lesson_run() -> RunStatus | None:
    """The run of this visitor's last lesson; else the last one there was."""
    try:
        if identifier := st.session_state.get(LESSON):
            return find_run(identifier)
    except RunError:
        del st.session_state[LESSON]
    return next((run for run in all_runs() if run.lesson), None)


@st.fragment(run_every="0.4s")
@errors_in_words()
def _follow() -> None:
    tend_queue()
    run = _lesson_run()
    if run is None or run.ended:
        st.rerun()
    elif run.state == "queued":
        st.info("It waits for the run before it.", icon=":material/schedule:")
    elif run.of("evaluating"):
        st.progress(1.0, "Judging it on the other drawings and on the test images …")
    elif steps := run.of("teaching"):
        st.progress(steps[-1]["step"] / steps[-1]["steps"], f"Step {steps[-1]['step']} of {steps[-1]['steps']}")
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
    st.subheader(f"Taught: {title_of(name)}", anchor=False)
    drawings, test = st.columns(2)
    with drawings:
        _before_and_after("On these drawings", teaching.before, teaching.after)
    with test:
        _before_and_after("On MNIST", teaching.test_before, record.evaluation)
    st.caption(
        f"Taught with {teaching.taught_with} drawings, {teaching.passed_over} of them passed over as their labels are "
        f"doubtful; judged on {teaching.after.images} others. It began as {title_of(teaching.base)}."
    )
    right, wrong = len(teaching.newly_right), len(teaching.newly_wrong)
    st.markdown(f"Of these, {right} are newly right and {wrong} newly wrong: {in_words(wrong, right)}.")
    _show_changes(teaching, store)
    with st.container(horizontal=True):
        if registry.active_name() == name:
            st.success("It answers on the Draw page now.", icon=":material/check:")
            if before := promotion.previous():
                take_back = errors_in_words()(promotion.roll_back)
                st.button(f"Take it back: {title_of(before)} answers", icon=":material/undo:", on_click=take_back)
        else:
            better = teaching.after.correct > teaching.before.correct
            if st.button("Use it", type="primary" if better else "secondary", icon=":material/check:"):
                promote_or_ask(name, title_of(name))
            st.button("Throw it away", icon=":material/delete:", on_click=_throw_away, args=[name])


def _before_and_after(title: str, before: Evaluation, after: Evaluation) -> None:
    points = round(100 * (after.accuracy - before.accuracy), 2)
    st.metric(title, f"{before.accuracy:.2%} → {after.accuracy:.2%}", f"{points:+.2f} points" if points else None)
    for when, evaluation in (("before", before), ("after", after)):
        low, high = evaluation.interval.low, evaluation.interval.high
        st.caption(
            f"{when}: {evaluation.correct:,} of {evaluation.images:,} right, {evaluation.accuracy:.2%} "
            f"(95% interval {low:.2%} to {high:.2%}; {evaluation.on})"
        )


def _show_changes(teaching: Teaching, store: DrawingStore) -> None:
    """The drawings that teaching changed the answer to."""
    for title, ids in (("newly right", teaching.newly_right), ("newly wrong", teaching.newly_wrong)):
        found = [drawing for identifier in ids[:MOST_SHOWN] if (drawing := store.get(identifier))]
        if found:
            st.markdown(f"**{title.capitalize()}**")
            digit_gallery(np.stack([drawing.image for drawing in found]), [str(drawing.label) for drawing in found])


@errors_in_words()
def _throw_away(name: str) -> None:
    deletion.delete(name)
    st.session_state.pop(LESSON, None)
