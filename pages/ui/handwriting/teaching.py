"""Teaching from the page: whose drawings, the button, the progress, and the two headline numbers before and after."""

import numpy as np
import streamlit as st

from mnist_core import Evaluation
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import TeachingError, WeightsError
from mnist_core.evaluation.comparison import significance
from mnist_core.evaluation.statistics import SIGNIFICANCE_LEVEL, mcnemar, with_interval
from mnist_core.runs import jobs
from mnist_core.runs.events import Evaluating, TeachingStep
from mnist_core.runs.finetune import prepare
from mnist_core.runs.folder import FineTuneRequest
from mnist_core.runs.queue import tend_queue
from mnist_core.runs.status import RunStatus, all_runs
from mnist_core.versions import deletion, registry
from mnist_core.versions.active import active_name, previous, roll_back
from mnist_core.versions.catalogue import title_of
from mnist_core.versions.records import Teaching
from pages.ui.layout import errors_in_words, plain
from pages.ui.models.versions import promote_or_ask
from pages.ui.widgets.gallery import digit_gallery

LESSON, PUT_AWAY = "lesson_run", "lesson_put_away"
MOST_SHOWN = 12


@errors_in_words()
def teach_from_page(store: DrawingStore, mine: str) -> None:
    """All of it; what came of the last lesson with the chosen writers' drawings stays until it is thrown away."""
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
    lesson = FineTuneRequest(active_name(), tuple(chosen))
    run = _last_lesson(lesson.writers)
    busy = run is not None and not run.ended
    _offer_lesson(lesson, busy=busy)
    if busy:
        _follow(lesson.writers)
    elif run is not None:
        _show_outcome(run, store)


def _offer_lesson(lesson: FineTuneRequest, *, busy: bool) -> None:
    """The button; where there is too little to teach with, what is missing."""
    assignment, missing = None, ""
    try:
        assignment = prepare(lesson)
    except TeachingError as error:
        missing = str(error)
    if st.button("Teach", type="primary", icon=":material/school:", disabled=busy or not assignment) and assignment:
        st.session_state[LESSON] = jobs.start(assignment).id
        st.session_state.pop(PUT_AWAY, None)
        st.rerun()
    if missing and not busy:
        st.caption(missing)


def _last_lesson(writers: tuple[str, ...]) -> RunStatus | None:
    """The last lesson with these writers' drawings, whoever gave it; a failed one only where this visitor did."""
    if st.session_state.get(PUT_AWAY) == writers:
        return None
    for run in all_runs():
        given_here = run.id == st.session_state.get(LESSON)
        if (
            run.fine_tune
            and run.fine_tune.writers == writers
            and (given_here or not run.ended or run.state == "finished")
        ):
            return run
    return None


@st.fragment(run_every="0.4s")
@errors_in_words()
def _follow(writers: tuple[str, ...]) -> None:
    tend_queue()
    run = _last_lesson(writers)
    if run is None or run.ended:
        st.rerun()
    elif run.state == "queued":
        st.info("It waits for the run before it.", icon=":material/schedule:")
    elif run.of(Evaluating):
        st.progress(1.0, "Judging it on the other drawings and on the test images …")
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
        _before_and_after("On these drawings", teaching.before, teaching.after)
    with test:
        _before_and_after("On MNIST", teaching.test_before, record.evaluation)
        _since_the_beginning(teaching)
    title, base = plain(title_of(name)), plain(title_of(teaching.base))
    st.caption(
        f"{title}. Taught with {teaching.taught_with} drawings, {teaching.skipped} of them skipped as their "
        f"labels are doubtful; judged on {teaching.after.images} others. It began as {base}."
    )
    _show_changes(teaching, store)
    with st.container(horizontal=True, vertical_alignment="center"):
        if active_name() == name:
            st.success("It answers on the Draw page now.", icon=":material/check:")
            if before := previous():
                take_back = errors_in_words()(roll_back)
                st.button(
                    f"Take it back: {plain(title_of(before))} answers", icon=":material/undo:", on_click=take_back
                )
        else:
            better = teaching.after.correct > teaching.before.correct
            if st.button("Use it", type="primary" if better else "secondary", icon=":material/check:"):
                promote_or_ask(name, title_of(name))
            st.button("Throw it away", icon=":material/delete:", on_click=_throw_away, args=[name, teaching.writers])


def _verdict(teaching: Teaching) -> str:
    """What teaching did to the drawings that judge, in a sentence that anybody understands."""
    right, wrong, images = len(teaching.newly_right), len(teaching.newly_wrong), teaching.after.images
    more = right - wrong
    if not right and not wrong:
        nothing_to_gain = teaching.before.correct == images
        return "No difference: all were read rightly before" if nothing_to_gain else "No difference on these drawings"
    if not more:
        return f"No better: {right} newly right, {wrong} newly wrong"
    count = f"{abs(more)} {'more' if more > 0 else 'fewer'} of {images} drawings read rightly"
    if mcnemar(wrong, right) < SIGNIFICANCE_LEVEL:
        return f"{count}: more than chance"
    return f"{count}, too few to be sure"


def _before_and_after(title: str, before: Evaluation, after: Evaluation) -> None:
    points = round(100 * (after.accuracy - before.accuracy), 2)
    st.metric(title, f"{before.accuracy:.2%} → {after.accuracy:.2%}", f"{points:+.2f} points" if points else None)
    for when, evaluation in (("before", before), ("after", after)):
        share = with_interval(evaluation.correct, evaluation.images, 2)
        st.caption(f"{when}: {evaluation.correct:,} of {evaluation.images:,} correct, {share} ({evaluation.on})")


def _since_the_beginning(teaching: Teaching) -> None:
    """What the version scored that was taught first, if that is another than the base: small losses add up."""
    first = teaching
    try:
        while (earlier := registry.version(first.base).record.teaching) is not None:
            first = earlier
    except WeightsError:  # deleted meanwhile
        return
    if first is not teaching:
        st.caption(f"{plain(title_of(first.base))}, before any teaching: {first.test_before.accuracy:.2%}")


def _show_changes(teaching: Teaching, store: DrawingStore) -> None:
    """The drawings that teaching changed the answer to."""
    right, wrong = teaching.newly_right, teaching.newly_wrong
    if right or wrong:
        st.markdown(f"{len(right)} newly right, {len(wrong)} newly wrong. {significance(len(wrong), len(right))}")
    for title, ids in (("Newly right", right), ("Newly wrong", wrong)):
        found = [drawing for identifier in ids[:MOST_SHOWN] if (drawing := store.get(identifier))]
        if found:
            st.markdown(f"**{title}**")
            digit_gallery(np.stack([drawing.image for drawing in found]), [str(drawing.label) for drawing in found])


@errors_in_words()
def _throw_away(name: str, writers: tuple[str, ...]) -> None:
    deletion.delete(name)
    st.session_state[PUT_AWAY] = writers
