// The protection of the player: the reality check at the casino's interval, and the hard stop. Neither can be switched off from inside.

import { make } from "./words.js";

export class Protection {
  constructor(frame) {
    this.frame = frame;
    this.sinceMs = null;
    this.stopped = false;
  }

  /** Start with a session. `everyS` is the hub's interval, `minutes` the page's; the shorter one holds. */
  begin({ playedMs, everyS, minutes }) {
    this.sinceMs = Date.now() - playedMs;
    this.hubS = everyS || null;
    this.every(minutes);
  }

  /** Set the page's interval in minutes; null leaves the hub's. */
  every(minutes) {
    const seconds = [this.hubS, minutes && minutes * 60].filter(Boolean);
    clearTimeout(this.timer);
    this.intervalMs = seconds.length ? Math.max(1000, Math.min(...seconds) * 1000) : null;
    this.#arm();
  }

  get playedMs() { return this.sinceMs === null ? 0 : Date.now() - this.sinceMs; }

  #arm() {
    clearTimeout(this.timer);
    if (this.intervalMs && this.frame.player && !this.stopped) this.timer = setTimeout(() => this.#check(), this.intervalMs);
  }

  async #check() {
    const { frame } = this, { words } = frame;
    const told = await frame.api.state().catch(() => ({})), play = told.realityCheck;
    const sums = play ? [["check.staked", play.staked], ["check.returned", play.won], ["check.net", play.net]] : [];
    const list = make("dl", {}, make("dt", {}, words.say("check.time")), make("dd", {}, words.clock(this.playedMs)),
      sums.flatMap(([key, amount]) => [make("dt", {}, words.say(key)), make("dd", {}, words.money(amount, told.currency))]));
    const dialog = make("dialog.check", { "aria-labelledby": "check-title", closedby: "none" }, make("h1", { id: "check-title" }, words.say("check.title")), list,
      make("p.quiet", {}, words.say("check.text")),
      make("div.row", {}, make("button", { onclick: () => dialog.close("leave") }, words.say("check.leave")),
        make("button.primary", { onclick: () => dialog.close("on") }, words.say("check.continue"))));
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      if (!dialog.returnValue) { dialog.showModal(); return; } // some browsers close it at Escape, whatever a page says
      dialog.remove();
      if (dialog.returnValue === "leave") this.#leave();
      this.#arm();
    });
    document.body.append(dialog);
    dialog.showModal();
    frame.host.send("scrollto", { top: 0 });
  }

  #leave() {
    if (this.frame.canExit) this.frame.exit("stop");
    this.frame.go("#/");
  }

  /** The hub's hard stop: now, or at an instant of its own. */
  heed(hardStop) {
    clearTimeout(this.stopTimer);
    if (!hardStop || this.stopped) return;
    const text = this.frame.words.say(`error.${hardStop.reason}`), leftMs = hardStop.at ? Date.parse(hardStop.at) - Date.now() - this.frame.clockOffset : 0;
    if (leftMs <= 0) this.stop(text);
    else this.stopTimer = setTimeout(() => this.stop(text), Math.min(leftMs, 2 ** 31 - 1));
  }

  /** End play at once. The inner frame goes, so that nothing more can be bet in it. */
  stop(reason) {
    this.stopped = true;
    this.reason = typeof reason === "string" && reason ? reason.slice(0, 500) : this.frame.words.say("stop.text");
    clearTimeout(this.timer);
    document.querySelector("dialog.check")?.remove();
    this.frame.view?.close?.();
    this.show();
  }

  show() {
    const { frame } = this, { words } = frame;
    const exit = frame.canExit && make("button.primary", { onclick: () => frame.exit("stop") }, words.say("exit"));
    const title = make("h1", { tabindex: -1 }, words.say("stop.title"));
    frame.show(make("section.problem.stop", { role: "alert" }, title, make("p", {}, this.reason), make("p.quiet", {}, words.say("stop.owed")), make("div.row", {}, exit)));
    title.focus();
  }
}
