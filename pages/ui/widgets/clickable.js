export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".clickable");
  if (root.shown !== data) {
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.pick : undefined;
    root.innerHTML = root.shown = data;
    if (focused !== undefined) root.querySelector(`[data-pick="${CSS.escape(focused)}"]`)?.focus();
  }
  root.onclick = (event) => {
    const button = event.target.closest("[data-pick]");
    if (button) setTriggerValue("picked", button.dataset.pick);
  };
}
