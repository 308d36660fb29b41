// A draw game in the player's frame: the draw that runs, a bet slip, the player's bets, past draws with their proof, the paytable.
// The studio decides everything; this page shows it and sends choices. The seed is checked here, in the browser.

import { boardOf } from "./boards.js";
import { CRASH, POKER, WHEEL, check } from "./rules.js";
import { Words, make } from "./words.js";

const HERE = location.pathname.replace(/\/$/, "");
const STEPS = ["0.10", "0.20", "0.50", "1.00", "2.00", "5.00", "10.00", "20.00", "50.00", "100.00"];
const EVERY_MS = { betting: 1000, awaiting: 1000, action: 700, results: 700 };
const whenIdle = (act) => (window.requestIdleCallback ? requestIdleCallback(act, { timeout: 2000 }) : setTimeout(act, 50));
const byId = (id) => document.getElementById(id);

/** JSON of the studio; null where it cannot be reached, `gone` where the session is unknown. */
async function ask(path, body) {
  try {
    const answer = await fetch(`${HERE}/${path}`, { method: body ? "POST" : "GET", cache: "no-store", credentials: "omit",
      ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }), signal: AbortSignal.timeout(20000) });
    if (answer.status === 404) return { gone: true };
    return answer.status >= 500 ? null : await answer.json();
  } catch { return null; }
}

class Play {
  async run() {
    this.state = await ask("state");
    while (!this.state || this.state.gone) {
      byId("game").replaceChildren(make("p.note", { role: "alert" }, new Words(navigator.language).say(this.state ? "closed" : "offline")));
      if (this.state?.gone) return;
      await new Promise((done) => setTimeout(done, 2000));
      this.state = await ask("state");
    }
    this.words = new Words(this.state.language);
    document.body.classList.toggle("inside", window.parent !== window);
    document.documentElement.lang = this.words.language;
    document.title = this.state.name;
    this.stakes = this.#stakes();
    this.stake = this.stakes.includes("1.00") ? "1.00" : this.stakes[0];
    this.settled = new Set();
    this.checked = new Map();
    this.board = boardOf(this.state.gameType, this.words, () => this.#slip(), (bet) => this.#leave(bet));
    this.#build();
    this.show(this.state);
    this.#paytable(await ask("paytable"));
    setInterval(() => this.#tick(), 200);
    this.#poll();
  }

  #stakes() {
    const { minBet, maxBet } = this.state, low = Number(minBet), high = Number(maxBet);
    const fit = STEPS.filter((step) => Number(step) >= low && Number(step) <= high);
    return fit.length ? fit : [minBet];
  }

  #build() {
    const { words } = this, say = (key, values) => words.say(key, values);
    this.phase = make("b", { role: "status" });
    this.time = make("span.time", { "aria-hidden": "true" });
    this.bar = make("span.fill");
    this.note = make("p.note", { role: "status", hidden: true });
    this.amount = make("output.amount", { id: "stake", "aria-label": say("stake") });
    this.less = make("button.plain", { type: "button", "aria-label": say("less"), onclick: () => this.#step(-1) }, "−");
    this.more = make("button.plain", { type: "button", "aria-label": say("more"), onclick: () => this.#step(1) }, "+");
    this.place = make("button.primary.big", { type: "button", id: "bet", onclick: () => this.#bet() });
    this.balance = make("output");
    this.mine = make("ul.bets", { id: "mine" });
    this.past = make("div.past", { id: "past" });
    this.pays = make("div.pays");
    byId("game").replaceChildren(
      this.state.demo ? make("p.demo", {}, say("demo")) : "",
      make("header", {}, make("h1", {}, this.state.name), make("p.phase", {}, this.phase, " ", this.time), make("div.progress", { "aria-hidden": "true" }, this.bar)),
      make("section.board", { "aria-label": this.state.name }, this.board.element),
      make("section.side", {}, make("h2", {}, say("mine")), this.mine, details(say("history"), this.past, true), details(say("paytable"), this.pays), details(say("fair"), this.#fairness())),
      make("footer.slip", {}, this.note, make("div.row", {}, make("span.stake", {}, this.less, this.amount, this.more), this.place), make("p.quiet", {}, say("balance"), " ", this.balance)));
    this.#slip();
    this.#readBalance();
  }

  async #poll() {
    for (;;) {
      await new Promise((done) => setTimeout(done, document.hidden ? 3000 : EVERY_MS[this.state.draw?.phase] || 1000));
      const told = await ask("state");
      if (!told) { this.#say("offline"); continue; }
      if (told.gone) { this.#say("closed"); return; }
      if (this.note.dataset.key === "offline") this.#say(null);
      this.show(told);
    }
  }

  show(state) {
    this.state = { ...state, offset: state.nowMs - Date.now() };
    this.board.draw(this.state);
    this.#bets();
    this.#history();
    this.#slip();
    this.#tick();
    const over = state.ended.flatMap((draw) => draw.bets).filter((bet) => ["settled", "refunded"].includes(bet.state) && !this.settled.has(bet.bet));
    if (over.length) {
      for (const bet of over) this.settled.add(bet.bet);
      this.#readBalance();
    }
  }

  async #readBalance() {
    const told = await ask("balance");
    if (told?.balance != null) this.balance.textContent = this.words.money(told.balance, this.state.currency);
    if (window.parent !== window) window.parent.postMessage("balance", "*");
  }

  #tick() {
    const { draw, offset } = this.state, now = Date.now() + offset, phase = draw?.phase;
    const said = this.words.say(phase || "none");
    if (this.phase.textContent !== said) this.phase.textContent = said;
    const [key, end, from] = phase === "betting" ? ["closes", draw.bettingEndsAt, draw.startsAt] : phase === "awaiting" ? ["opens", draw.startsAt, draw.startsAt - 5000] : [null];
    const left = key ? Math.max(0, end - now) : 0;
    this.time.textContent = key ? this.words.say(key, { time: `${Math.ceil(left / 1000)} s` }) : "";
    this.bar.style.inlineSize = key ? `${Math.min(100, (100 * left) / Math.max(1, end - from))}%` : "0";
    document.body.dataset.phase = phase || "none";
  }

  #step(by) {
    const place = Math.max(0, Math.min(this.stakes.length - 1, this.stakes.indexOf(this.stake) + by));
    this.stake = this.stakes[place];
    this.#slip();
  }

  #slip() {
    if (!this.place) return;
    const { draw, currency } = this.state, choice = this.board.choice(), open = draw?.phase === "betting";
    const amount = this.words.money(this.stake, currency);
    this.amount.textContent = amount;
    this.less.disabled = this.stake === this.stakes[0];
    this.more.disabled = this.stake === this.stakes.at(-1);
    this.place.disabled = !open || !choice || this.placing;
    this.place.textContent = !open ? this.words.say("wait") : choice ? this.words.say("bet", { amount }) : this.words.say("choose");
  }

  async #bet() {
    this.placing = true;
    this.#slip();
    const told = await ask("bets", { choice: this.board.choice(), stake: this.stake });
    this.placing = false;
    if (!told) this.#say("unsure");
    else if (told.gone) this.#say("closed");
    else if (told.refused || told.problem) this.#say("notnow", { why: told.refused || told.problem });
    else this.#say(told.state === "refused" ? "notnow" : null, { why: this.words.say("refused") });
    this.show((await ask("state")) || this.state);
    this.#readBalance();
  }

  async #leave(bet) {
    if (!bet) return;
    const told = await ask("bets/leave", { bet });
    if (told?.choice) this.#say("left", { at: `${told.choice}×` });
    else this.#say("notnow", { why: told?.refused ?? this.words.say("offline") });
    this.show((await ask("state")) || this.state);
  }

  #say(key, values) {
    this.note.hidden = !key;
    this.note.dataset.key = key || "";
    this.note.textContent = key ? this.words.say(key, values) : "";
  }

  #bets() {
    const { bets, ended, currency } = this.state, { words } = this;
    const all = [...bets].reverse().concat(ended.flatMap((draw) => draw.bets)).slice(0, 8);
    const signature = JSON.stringify(all);
    if (signature === this.betsShown) return;
    this.betsShown = signature;
    this.mine.replaceChildren(...(all.length ? all.map((bet) => {
      const done = bet.state === "settled", won = done && Number(bet.win) > Number(bet.stake);
      return make(`li${won ? ".won" : ""}`, {}, make("span", {}, make("b", {}, words.money(bet.stake, currency)), " ", words.say("on", { choice: choiceText(bet.choice, words) })),
        make("span.quiet", {}, done ? words.say("outcome", { stake: words.money(bet.stake, currency), win: words.money(bet.win, currency) }) : words.say(bet.state)));
    }) : [make("li.quiet", {}, words.say("nobets"))]));
  }

  #history() {
    const { ended, gameType } = this.state, { words } = this, newest = `${ended[0]?.gameEdition}/${ended.length}`;
    if (newest === this.pastShown) return;
    this.pastShown = newest;
    if (!ended.length) this.past.replaceChildren(make("p.quiet", {}, words.say("nopast")));
    else this.past.replaceChildren(...ended.slice(0, 10).map((draw) => this.#ended(draw, gameType)));
    for (const edition of this.checked.keys()) if (!ended.some((draw) => draw.gameEdition === edition)) this.checked.delete(edition);
  }

  /** A draw that ended. It is checked once, because its proof does not change, and in an idle moment, so that no frame waits for it. */
  #ended(draw, gameType) {
    const { words } = this, known = this.checked.get(draw.gameEdition);
    if (known) return known;
    const mark = make("span", {}, "…"), verdict = make("p");
    const inside = [make("p", {}, words.say("commitment")), make("code", {}, draw.proof.commitment), make("p", {}, words.say("seed")), make("code", {}, draw.proof.seed), verdict];
    const made = details(make("span.line", {}, make("span.quiet", {}, words.say("draw", { edition: draw.gameEdition })), " ",
      make("span", {}, draw.results ? resultsText(draw.results, gameType, words) : words.say("cancelled")), mark), inside);
    this.checked.set(draw.gameEdition, made);
    whenIdle(() => {
      const fine = check(draw), good = fine.commitment && fine.results;
      verdict.textContent = mark.title = words.say(good ? "verified" : "broken");
      verdict.className = mark.className = good ? "good" : "bad";
      mark.textContent = good ? "✓" : "✗";
      made.dataset.verified = String(good);
    });
    return made;
  }

  #fairness() {
    return [make("p", {}, this.words.say("fair_text")), make("code", {}, "seed → SHA-256 → commitment"), make("code", {}, "HMAC-SHA256(seed, hmac-sha256-v1:TYPE:EDITION:n) → numbers")];
  }

  #paytable(told) {
    const { words } = this;
    this.pays.replaceChildren(make("table", {}, make("tbody", {}, (told?.paytable || []).map((line) => make("tr", {}, make("th", { scope: "row" }, choiceText(line.bet, words)),
      make("td", {}, line.pays.map(([outcome, pays]) => `${outcome}: × ${pays}`).join(" · ")), make("td.quiet", {}, words.say("share", { percent: line.percent })))))));
  }
}

function details(title, content, open = false) {
  return make("details", { open }, make("summary", {}, title), content);
}

const choiceText = (choice, words) => (choice === "stays" ? words.say("manual") : /^[0-9.]+$/.test(choice) && choice.includes(".") ? `${choice}×` : choice.includes(",") ? choice.replaceAll(",", " ") : words.say(choice));

function resultsText(results, gameType, words) {
  if (gameType === CRASH) return `${(results[0] / 100).toFixed(2)}×`;
  if (gameType === WHEEL) return words.say(results[1]);
  if (gameType === POKER) return `${results.slice(0, 3).join(" ")} / ${results.slice(3, 6).join(" ")}: ${words.say(results[6])}`;
  return results.join(" ");
}

new Play().run();
