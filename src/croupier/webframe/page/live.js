// Live draws with a countdown, and jackpot meters. One request every few seconds; between two of them the countdown runs by itself.

import { make } from "./words.js";

const EVERY_MS = 2500;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const BETTING = 1, ACTIVE = 2;

/** Results as players write them: a multiplier for a crash, the colour of a wheel, the winner of a deal, or the numbers. */
function resultsText({ type, last }) {
  if (type === 25) return `${(last[0] / 100).toFixed(2)}×`;
  if (type === 24) return String(last[1] ?? last[0]);
  if (type === 3) return last.slice(-2).join(", ");
  return last.join(" · ");
}

export class LiveStrip {
  /** `offered` tells whether the lobby has a game: a draw of another leads nowhere. */
  constructor(frame, offered) {
    this.frame = frame;
    this.offered = offered;
    this.draws = make("ul.draws");
    this.jackpots = make("ul.jackpots");
    this.shown = new Map();
    this.element = make("section.live", { "aria-label": frame.words.say("live.title"), hidden: true }, this.jackpots, this.draws);
  }

  start() {
    this.refresh();
    this.polling = setInterval(() => { if (!document.hidden) this.refresh(); }, EVERY_MS);
    this.ticking = setInterval(() => this.#tick(), 250);
  }

  stop() {
    clearInterval(this.polling);
    clearInterval(this.ticking);
    cancelAnimationFrame(this.animation);
  }

  async refresh() {
    const told = await this.frame.api.live().catch(() => null);
    if (!told) return;
    this.frame.clockOffset = told.nowMs - Date.now();
    const draws = told.draws.filter((draw) => !(this.frame.told.noSoon && draw.state === 1));
    this.#showDraws(draws);
    this.#showJackpots(this.frame.told.noJackpot ? [] : told.jackpots);
    this.element.hidden = !draws.length && !told.jackpots.length;
    this.#tick();
  }

  #showDraws(draws) {
    const { words } = this.frame, known = new Map([...this.draws.children].map((item) => [item.dataset.type, item]));
    const named = (type) => this.frame.config.words[`type.${type}`] || words.say("type.other", { type });
    for (const draw of draws) {
      let item = known.get(String(draw.type));
      if (!item) {
        item = make("li.draw", { "data-type": draw.type }, make("span.dot", { "aria-hidden": "true" }), make("b", {}, named(draw.type)),
          make("span.when"), make("span.last"));
        this.draws.append(item);
      }
      this.#link(item, draw, named(draw.type));
      known.delete(String(draw.type));
      item.draw = draw;
      item.querySelector(".last").textContent = draw.last.length ? words.say("live.last", { results: resultsText(draw) }) : "";
    }
    for (const gone of known.values()) gone.remove();
  }

  /** Who has an account plays for money; a guest gets the demo. */
  #link(item, draw, name) {
    const offered = draw.gameId && this.offered(draw.gameId), there = item.querySelector(".over");
    if (offered && !there) {
      item.append(make("button.over", { "aria-label": this.frame.words.say("live.open", { game: name }),
        onclick: () => this.frame.go(`#/game_id/${item.draw.gameId}${this.frame.player ? "" : "/demo"}`) }));
    } else if (!offered) there?.remove();
  }

  #tick() {
    const now = Date.now() + this.frame.clockOffset, { words } = this.frame;
    for (const item of this.draws.children) {
      const { draw } = item, left = draw.bettingEndsMs - now, open = draw.state === ACTIVE && draw.playState === BETTING && left > 0;
      const soon = draw.state === 1 && draw.startsMs > now;
      item.classList.toggle("open", open);
      item.querySelector(".when").textContent = open ? words.say("live.closes", { time: words.clock(left) })
        : soon ? words.say("live.opens", { time: words.clock(draw.startsMs - now) }) : words.say("live.playing");
    }
  }

  #showJackpots(jackpots) {
    const { words } = this.frame;
    const known = new Map([...this.jackpots.children].map((item) => [item.dataset.id, item]));
    for (const jackpot of jackpots) {
      let item = known.get(jackpot.id);
      if (!item) {
        item = make("li.jackpot", { "data-id": jackpot.id }, make("span.quiet", {}, jackpot.name), make("output.money"));
        this.jackpots.append(item);
      }
      known.delete(jackpot.id);
      this.#count(item.querySelector("output"), jackpot, (amount) => words.money(amount, jackpot.currency));
    }
    for (const gone of known.values()) gone.remove();
  }

  /** Count up to the new amount, unless motion is reduced. What is shown at the end is the exact text of the feed. */
  #count(output, jackpot, text) {
    const to = Number(jackpot.amount), from = this.shown.get(jackpot.id) ?? to, began = performance.now();
    this.shown.set(jackpot.id, to);
    if (STILL.matches || from === to) { output.textContent = text(jackpot.amount); return; }
    const step = (now) => {
      const part = Math.min(1, (now - began) / 1200);
      output.textContent = text(part < 1 ? (from + (to - from) * part).toFixed(2) : jackpot.amount);
      if (part < 1) this.animation = requestAnimationFrame(step);
    };
    this.animation = requestAnimationFrame(step);
  }
}
