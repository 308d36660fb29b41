// The boards of the four games: where a player chooses, and where the draw is shown. Each has `element`, `choice()`, `draw(state)`.

import { CRASH, KENO, PAYS_WHEEL, POKER, SEGMENTS, WHEEL, multiplierAfter } from "./rules.js";
import { make } from "./words.js";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const MOST_PICKS = 10;
const SHADES = { grey: "#77839a", blue: "#3f7fe0", green: "#27a05f", gold: "#d99a1c", violet: "#9a4fd8" };
const two = (hundredths) => `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, "0")}`;

/** A row of choices of which one holds. */
function options(names, label, changed) {
  const list = make("div.options", { role: "group", "aria-label": label });
  let chosen = null;
  for (const [name, text, extra, look] of names) {
    list.append(make(`button.option${look ? `.${look}` : ""}`, { type: "button", "aria-pressed": "false", onclick: ({ currentTarget }) => {
      chosen = chosen === name ? null : name;
      for (const one of list.children) one.setAttribute("aria-pressed", String(one === currentTarget && chosen !== null));
      changed();
    } }, make("b", {}, text), make("span.quiet", {}, extra)));
  }
  return { list, get chosen() { return chosen; } };
}

class Keno {
  constructor(words, changed) {
    this.words = words;
    this.picks = new Set();
    this.title = make("p.how", {}, words.say("keno"));
    this.clear = make("button.plain", { type: "button", disabled: true, onclick: () => { this.picks.clear(); this.#mark(); changed(); } }, words.say("clear"));
    this.grid = make("div.numbers", { role: "group", "aria-label": words.say("keno") });
    for (let number = 1; number <= 80; number += 1) {
      this.grid.append(make("button.number", { type: "button", "aria-pressed": "false", onclick: () => {
        if (!this.picks.delete(number) && this.picks.size < MOST_PICKS) this.picks.add(number);
        this.#mark();
        changed();
      } }, String(number)));
    }
    this.element = make("div.keno", {}, make("div.head", {}, this.title, this.clear), this.grid);
  }

  choice() { return this.picks.size ? [...this.picks].sort((a, b) => a - b).join(",") : null; }

  #mark() {
    [...this.grid.children].forEach((cell, place) => cell.setAttribute("aria-pressed", String(this.picks.has(place + 1))));
    this.title.textContent = this.picks.size ? this.words.say("picked", { count: this.picks.size }) : this.words.say("keno");
    this.clear.disabled = !this.picks.size;
  }

  /** Numbers appear one after the other as the results come in. */
  draw({ draw }) {
    if (draw?.results && this.shown !== draw.gameEdition) {
      this.shown = draw.gameEdition;
      draw.results.forEach((number, order) => setTimeout(() => {
        if (this.shown === draw.gameEdition) this.grid.children[number - 1].classList.add("drawn");
      }, STILL.matches ? 0 : order * 180));
    } else if (draw && !draw.results && this.shown) {
      this.shown = null;
      for (const cell of this.grid.children) cell.classList.remove("drawn");
    }
  }
}

class Wheel {
  constructor(words, changed) {
    this.canvas = make("canvas.wheel", { width: 520, height: 520, role: "img", "aria-label": words.say("wheel") });
    this.angle = 0;
    const names = Object.entries(PAYS_WHEEL).map(([name, pays]) => [name, words.say(name), `× ${pays}`, name]);
    this.options = options(names, words.say("wheel"), changed);
    this.element = make("div.two", {}, this.canvas, make("div", {}, make("p.how", {}, words.say("wheel")), this.options.list));
    this.words = words;
    this.face = this.#face();
    this.#paint();
  }

  choice() { return this.options.chosen; }

  draw({ draw }) {
    if (!draw?.results) { this.shown = null; return; }
    if (this.shown === draw.gameEdition) return;
    this.shown = draw.gameEdition;
    this.canvas.setAttribute("aria-label", `${this.words.say("results")}: ${this.words.say(draw.results[1])}`);
    const step = (2 * Math.PI) / SEGMENTS.length, from = this.angle % (2 * Math.PI);
    const to = -Math.PI / 2 - (draw.results[0] - 0.5) * step, turns = STILL.matches ? 0 : 4;
    const far = ((to - from) % (2 * Math.PI) + 2 * Math.PI) % (2 * Math.PI) + turns * 2 * Math.PI, began = performance.now();
    const frame = (now) => {
      const part = STILL.matches ? 1 : Math.min(1, (now - began) / 3200);
      this.angle = from + far * (1 - (1 - part) ** 3);
      this.#paint();
      if (part < 1) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** The wheel is painted once; each frame only turns it. */
  #face() {
    const face = make("canvas", { width: 520, height: 520 }), pen = face.getContext("2d"), step = (2 * Math.PI) / SEGMENTS.length;
    pen.translate(260, 260);
    SEGMENTS.forEach((colour, place) => {
      pen.beginPath();
      pen.moveTo(0, 0);
      pen.arc(0, 0, 250, place * step, (place + 1) * step);
      pen.fillStyle = SHADES[colour];
      pen.fill();
      pen.strokeStyle = "rgb(0 0 0 / .35)";
      pen.lineWidth = 2;
      pen.stroke();
    });
    pen.beginPath();
    pen.arc(0, 0, 150, 0, 7);
    pen.globalCompositeOperation = "destination-out";
    pen.fill();
    return face;
  }

  #paint() {
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, 520, 520);
    pen.save();
    pen.translate(260, 260);
    pen.rotate(this.angle);
    pen.drawImage(this.face, -260, -260);
    pen.restore();
    pen.fillStyle = getComputedStyle(this.canvas).color;
    pen.beginPath();
    pen.moveTo(260, 62);
    pen.lineTo(244, 16);
    pen.lineTo(276, 16);
    pen.fill();
  }
}

class Crash {
  constructor(words, changed, leave) {
    this.words = words;
    this.canvas = make("canvas.curve", { width: 720, height: 320, "aria-hidden": "true" });
    this.figure = make("output.figure", {}, "1.00×");
    this.at = make("input", { type: "number", min: "1.01", max: "100", step: "0.01", value: "2.00", inputmode: "decimal", id: "at", oninput: changed });
    this.manual = make("input", { type: "checkbox", id: "manual", onchange: () => { this.at.disabled = this.manual.checked; changed(); } });
    this.leaveButton = make("button.primary.big", { type: "button", hidden: true, onclick: () => leave(this.leavable) }, words.say("leave"));
    this.element = make("div.crash", {}, make("div.stage", {}, this.canvas, this.figure), this.leaveButton,
      make("div.head", {}, make("label.field", { for: "at" }, make("span", {}, words.say("crash")), this.at, make("span", {}, "×")),
        make("label.field", { for: "manual" }, this.manual, make("span", {}, words.say("manual")))), make("p.quiet", {}, words.say("crash_hint")));
    this.frame = () => this.#frame();
  }

  choice() {
    if (this.manual.checked) return "stays";
    const value = Number(this.at.value);
    return value >= 1.01 && value <= 100 ? value.toFixed(2) : null;
  }

  draw(state) {
    this.state = state;
    const { draw } = state, playing = draw?.phase === "action" && draw.actionAt;
    this.leavable = playing ? state.bets.find((bet) => bet.choice === "stays" && bet.state === "taken")?.bet : null;
    this.leaveButton.hidden = !this.leavable;
    if (playing && !this.running) { this.running = true; requestAnimationFrame(this.frame); }
    if (draw?.results && this.shown !== draw.gameEdition) {
      this.shown = draw.gameEdition;
      this.running = false;
      this.#paint(draw.results[0], true);
      this.figure.textContent = this.words.say("crashed", { at: `${two(draw.results[0])}×` });
    } else if (!playing && !draw?.results) { this.running = false; this.#paint(100, false); this.figure.textContent = "1.00×"; }
  }

  #frame() {
    if (!this.running) return;
    const { draw, offset, pace } = this.state, shown = multiplierAfter(Math.max(0, (Date.now() + offset - draw.actionAt) * pace));
    this.figure.textContent = `${two(shown)}×`;
    this.#paint(shown, false);
    requestAnimationFrame(this.frame);
  }

  #paint(multiplier, over) {
    const pen = this.canvas.getContext("2d"), style = getComputedStyle(this.canvas), top = Math.max(200, multiplier * 1.15);
    pen.clearRect(0, 0, 720, 320);
    pen.strokeStyle = style.getPropertyValue("--line");
    pen.lineWidth = 1;
    for (let line = 1; line < 4; line += 1) { pen.beginPath(); pen.moveTo(0, line * 80); pen.lineTo(720, line * 80); pen.stroke(); }
    pen.strokeStyle = style.getPropertyValue(over ? "--bad" : "--accent");
    pen.lineWidth = 5;
    pen.lineCap = "round";
    pen.beginPath();
    const end = multiplier <= 100 ? 0 : msUntil(multiplier), wide = Math.max(end, 4000);
    for (let step = 0; step <= 60; step += 1) {
      const ms = (end * step) / 60, y = 310 - ((multiplierAfter(ms) - 100) / (top - 100)) * 290;
      pen.lineTo(10 + (ms / wide) * 690, y);
    }
    if (end) pen.stroke();
  }
}

/** The time at which the curve shows this multiplier, from the polynomial solved for the time. */
const msUntil = (multiplier) => Math.max(0, -4000 + Math.sqrt(16e6 + (multiplier - 100) * 200000));

class Poker {
  constructor(words, changed) {
    this.words = words;
    this.hands = ["red", "black"].map((name) => make("div.hand", {}, make("p", {}, words.say(name)), make("div.cards", {}, Array.from({ length: 3 }, () => make("span.playing-card")))));
    this.verdict = make("p.verdict", { role: "status" });
    const pays = { red: "1.90", black: "1.90", tie: "850.00", "high card": "1.70", pair: "3.35", flush: "10.00", straight: "14.50", "three of a kind": "200.00", "straight flush": "215.00" };
    this.options = options(Object.entries(pays).map(([name, at]) => [name, words.say(name), `× ${at}`]), words.say("poker"), changed);
    this.element = make("div.poker", {}, make("div.hands", {}, this.hands), this.verdict, make("p.how", {}, words.say("poker")), this.options.list);
  }

  choice() { return this.options.chosen; }

  draw({ draw }) {
    const cards = this.hands.flatMap((hand) => [...hand.querySelectorAll(".playing-card")]);
    if (draw?.results && this.shown !== draw.gameEdition) {
      this.shown = draw.gameEdition;
      cards.forEach((card, place) => setTimeout(() => this.#face(card, draw.results[place]), STILL.matches ? 0 : place * 350));
      this.verdict.textContent = `${this.words.say(draw.results[6])}, ${this.words.say(draw.results[7])}`;
    } else if (draw && !draw.results && this.shown !== null) {
      this.shown = null;
      for (const card of cards) this.#face(card, null);
      this.verdict.textContent = "";
    }
  }

  #face(card, name) {
    const suit = name && { c: "♣", d: "♦", h: "♥", s: "♠" }[name[1]];
    card.textContent = name ? `${name[0] === "T" ? "10" : name[0]}${suit}` : "";
    card.className = `playing-card${name ? " up" : ""}${name && "dh".includes(name[1]) ? " warm" : ""}`;
  }
}

/** The board of a game type. `changed` is called when the choice changes, `leave` with a bet to leave a crash with. */
export function boardOf(gameType, words, changed, leave) {
  const kinds = { [KENO]: Keno, [WHEEL]: Wheel, [CRASH]: Crash, [POKER]: Poker };
  return new kinds[gameType](words, changed, leave);
}
