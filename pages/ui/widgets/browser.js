export default function ({ data, parentElement, setTriggerValue }) {
  const when = (text) => { try { return JSON.parse(text).at || 0; } catch { return 0; } };
  const compare = () => {
    try {
      const storage = data.for_good ? localStorage : sessionStorage;
      const found = storage.getItem(data.name);
      if (found === null || when(data.text) > when(found)) {
        if (data.text !== null) storage.setItem(data.name, data.text);
      } else if (found !== data.text && (when(found) > when(data.text) || !when(found))) {
        setTriggerValue("found", found);
      }
    } catch { /* storage is switched off in this browser */ }
  };
  const listen = (event) => { if (event.key === data.name && event.newValue !== null) compare(); };
  // Streamlit calls this function whenever the data change, but what it returns only once, at the end
  window.removeEventListener("storage", parentElement.listener);
  parentElement.listener = data.for_good ? listen : undefined;
  window.addEventListener("storage", parentElement.listener);
  compare();
  return () => window.removeEventListener("storage", parentElement.listener);
}
