"""A press of a button counts even if another run of the page comes between."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.ui.widgets.pressing import pressed

    if st.session_state.pop("interrupted", False):
        st.stop()
    st.text("pressed" if pressed("Go", key="go") else "not pressed")


def shown(app: AppTest) -> str:
    return app.text[0].value


def test_a_press_counts_once() -> None:
    app = AppTest.from_function(page).run()
    assert shown(app) == "not pressed"
    app.button(key="go").click().run()
    assert shown(app) == "pressed"
    assert shown(app.run()) == "not pressed"


def test_a_press_counts_in_the_next_run_if_its_own_did_not_reach_the_button() -> None:
    app = AppTest.from_function(page).run()
    app.session_state["interrupted"] = True
    app.button(key="go").click().run()
    assert not app.text
    assert shown(app.run()) == "pressed"
    assert shown(app.run()) == "not pressed"
