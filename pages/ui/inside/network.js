// Draws what network.py sends. Elements are created once, and new data only change what they show, so that nothing
// flickers and the focus stays where it is.

const SVG = "http://www.w3.org/2000/svg";
const TALL_BELOW = 620; // pixels of width; layers are then drawn below each other
const ALWAYS = 48; // lines between two layers that are drawn while nothing is pointed at
const BESIDE = 20; // of these, lines to digits other than the answer
const PATCHES = 7; // along each side of the frame
const networks = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let network = networks.get(parentElement);
  if (!network) networks.set(parentElement, (network = new Network(parentElement)));
  network.show(data, (layer, unit) => setTriggerValue("picked", { layer, unit }));
}

function make(parent, tag, className = "", text = "") {
  const element = parent.appendChild(document.createElement(tag));
  element.className = className;
  element.textContent = text;
  return element;
}

class Network {
  constructor(parent) {
    this.root = make(parent, "div", "network");
    this.lines = this.root.appendChild(document.createElementNS(SVG, "svg"));
    this.lines.setAttribute("aria-hidden", "true");
    this.columns = [];
    this.tip = make(this.root, "div", "tip");
    this.tip.setAttribute("aria-hidden", "true"); // the labels say the same
    this.tip.hidden = true;
    new ResizeObserver(() => this.lay()).observe(this.root);
  }

  show(data, pick) {
    this.data = data;
    this.pick = pick;
    const shape = data.layers.map((layer) => layer.units.length).join();
    if (shape !== this.shape) this.build(data);
    this.shape = shape;
    this.frame.src = data.frame;
    data.layers.forEach((layer, place) => this.fill(this.columns[place + 1], layer, place));
    data.outputs.forEach((output, digit) => {
      const { item, bar, share } = this.outputs[digit];
      item.className = "output" + (digit === data.answer ? " answer" : "") + (data.accepted ? "" : " declined");
      bar.style.width = `${100 * output.share}%`;
      share.textContent = output.percent;
    });
    this.lay();
    if (this.pointed) this.point(this.pointed); // updates the tooltip
  }

  build(data) {
    this.pointed = null;
    this.columns.forEach(({ element }) => element.remove());
    const input = this.column("Your digit", "28 × 28 pixels");
    this.frame = make(input.body, "img", "frame");
    this.frame.alt = "The digit as the network sees it";
    this.columns = [input, ...data.layers.map((layer, place) => this.hidden(layer, place)), this.answers()];
    this.root.append(this.tip);
  }

  column(name, detail) {
    const element = make(this.root, "div", "column");
    make(element, "h3", "", name);
    return { element, detail: make(element, "p", "", detail), body: make(element, "div", "body"), nodes: [] };
  }

  hidden(layer, place) {
    const column = this.column(layer.name, "");
    const units = make(column.body, "div", "units" + (layer.units.length > 8 ? " staggered" : ""));
    units.style.setProperty("--columns", layer.units.length > 8 ? 2 : 1);
    units.style.setProperty("--count", layer.units.length);
    units.setAttribute("role", "group");
    units.setAttribute("aria-label", layer.name);
    column.nodes = layer.units.map((_, slot) => {
      const button = make(units, "button", "unit");
      button.type = "button";
      make(button, "span");
      const here = { column: place + 1, slot };
      button.onpointerenter = (event) => event.pointerType === "mouse" && this.point(here);
      button.onpointerleave = () => this.point(null);
      button.onfocus = () => button.matches(":focus-visible") && this.point(here);
      button.onblur = () => this.point(null);
      button.onclick = () => {
        this.data.picked = [place, this.data.layers[place].units[slot].unit]; // shown before the server answers
        this.data.layers.forEach((each, index) => this.fill(this.columns[index + 1], each, index));
        this.pick(...this.data.picked);
      };
      return button;
    });
    return column;
  }

  answers() {
    const column = this.column("Answer", "probability");
    const list = make(column.body, "ul", "outputs");
    this.outputs = [...Array(10).keys()].map((digit) => {
      const item = make(list, "li", "output");
      const node = make(item, "b", "", digit);
      const beside = make(item, "div");
      const share = make(beside, "span", "share");
      const bar = make(make(beside, "div", "track"), "div", "bar");
      const here = () => ({ column: this.columns.length - 1, slot: digit });
      item.onpointerenter = (event) => event.pointerType === "mouse" && this.point(here());
      item.onpointerleave = () => this.point(null);
      return { item, node, bar, share };
    });
    column.nodes = this.outputs.map(({ node }) => node);
    return column;
  }

  fill(column, layer, place) {
    column.detail.textContent = layer.detail;
    layer.units.forEach(({ unit, picture, share, label }, slot) => {
      const button = column.nodes[slot];
      button.firstChild.style.backgroundImage = `url(${picture})`;
      button.style.setProperty("--share", share);
      button.classList.toggle("silent", share === 0);
      button.setAttribute("aria-label", label);
      button.setAttribute("aria-pressed", this.data.picked[0] === place && this.data.picked[1] === unit);
    });
  }

  // Return where a line ends, relative to the network: on the side of the node that faces the other node.
  end(column, slot, outward) {
    const within = this.root.getBoundingClientRect();
    if (column === 0) {
      const box = this.frame.getBoundingClientRect();
      const [row, across] = [Math.floor(slot / PATCHES), slot % PATCHES];
      return [
        box.left - within.left + ((across + 0.5) / PATCHES) * box.width,
        box.top - within.top + ((row + 0.5) / PATCHES) * box.height,
      ];
    }
    const box = this.columns[column].nodes[slot].getBoundingClientRect();
    const [x, y] = [box.left - within.left, box.top - within.top];
    if (this.tall) return [x + box.width / 2, outward ? y + box.height : y];
    return [outward ? x + box.width : x, y + box.height / 2];
  }

  lay() {
    if (!this.data) return;
    this.tall = this.root.clientWidth < TALL_BELOW;
    this.root.classList.toggle("tall", this.tall);
    this.draw();
  }

  draw() {
    const pointed = this.pointed;
    const paths = [];
    this.data.gaps.forEach((gap, place) => {
      const strongest = Math.abs(gap[0]?.[2] ?? 1);
      const last = place === this.data.gaps.length - 1;
      gap.forEach(([source, target, strength], rank) => {
        const mine =
          pointed && ((pointed.column === place && pointed.slot === source) || (pointed.column === place + 1 && pointed.slot === target));
        const aside = last && target !== this.data.answer;
        if (!mine && (aside ? rank >= BESIDE : !last && rank >= ALWAYS)) return;
        const share = (Math.abs(strength) / strongest) ** 0.7; // keeps faint lines visible beside the strongest
        const toAnswer = last && !aside;
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("d", this.curve(this.end(place, source, true), this.end(place + 1, target, false)));
        path.setAttribute("class", strength < 0 ? "inhibits" : "");
        path.style.strokeWidth = `${mine ? 1.5 + 2.5 * share : 0.75 + 2.5 * share}px`;
        path.style.opacity = mine ? 1 : pointed ? 0.08 : toAnswer ? 0.6 + 0.4 * share : (0.25 + 0.6 * share) * (aside ? 0.5 : 1);
        paths.push(path);
      });
    });
    this.lines.replaceChildren(...paths);
  }

  curve([x, y], [toX, toY]) {
    if (this.tall) {
      const middle = (y + toY) / 2;
      return `M${x},${y}C${x},${middle} ${toX},${middle} ${toX},${toY}`;
    }
    const middle = (x + toX) / 2;
    return `M${x},${y}C${middle},${y} ${middle},${toY} ${toX},${toY}`;
  }

  point(where) {
    this.pointed = where;
    this.draw();
    const unit = where && this.data.layers[where.column - 1]?.units[where.slot];
    this.tip.hidden = !unit;
    if (!unit) return;
    this.tip.textContent = unit.tells;
    const node = this.columns[where.column].nodes[where.slot];
    const [within, box] = [this.root.getBoundingClientRect(), node.getBoundingClientRect()];
    const centre = box.left - within.left + box.width / 2 - this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.max(0, Math.min(centre, within.width - this.tip.offsetWidth))}px`;
    const above = box.top - within.top - this.tip.offsetHeight - 10;
    this.tip.style.top = `${above > 0 ? above : box.bottom - within.top + 10}px`;
  }
}
