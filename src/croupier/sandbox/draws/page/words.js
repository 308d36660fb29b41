// The words of the games. A launch names the language; English is the last resort.

const EN = {
  betting: "Bets are open", action: "In play", awaiting: "The next draw is coming", results: "Results", none: "The draws do not run at the moment.",
  closes: "closes in {time}", opens: "opens in {time}", demo: "Demo money", balance: "Balance", stake: "Stake", bet: "Bet {amount}", less: "Less", more: "More",
  clear: "Clear", choose: "Choose first", wait: "Please wait", mine: "Your bets", nobets: "No bets in this draw.", history: "Past draws", nopast: "No draw has ended since the game was started.", paytable: "Paytable", fair: "Fairness",
  keno: "Pick 1 to 10 numbers", picked: "{count} picked", wheel: "Pick a colour", poker: "Which hand is stronger, or what does it win with?", crash: "Leave at",
  crash_hint: "Your bet pays if the crash has not come before.", manual: "Leave by hand", leave: "Leave now", left: "Left at {at}", on: "on {choice}",
  asked: "being taken", taken: "accepted", refused: "not taken", win: "being paid", settled: "paid", refund: "being returned", refunded: "returned",
  outcome: "Staked {stake}, returned {win}.", crashed: "Crash at {at}", red: "Red", black: "Black", tie: "Tie", grey: "Grey", blue: "Blue", green: "Green", gold: "Gold",
  violet: "Violet", "high card": "High card", pair: "Pair", flush: "Flush", straight: "Straight", "three of a kind": "Three of a kind", "straight flush": "Straight flush",
  share: "Returns {percent} on average", fair_text: "Before bets open, the draw's seed is fixed and its hash published. Afterwards the seed is revealed. Your browser computes hash and results anew:",
  commitment: "Hash before the draw", seed: "Seed", verified: "Your browser got the same result.", broken: "This draw does NOT fit its proof. Tell your casino.",
  waiting: "The seed is revealed with the results.", offline: "No connection to the game. It goes on by itself; your bets are safe.", closed: "This game is not open any more. Go back and open it again.",
  notnow: "The bet was not taken: {why}.", unsure: "The bet has no answer yet. Its state appears below.", pays: "pays", draw: "Draw {edition}", cancelled: "cancelled, stakes returned",
};
const DE = {
  betting: "Einsätze sind offen", action: "Läuft", awaiting: "Die nächste Ziehung kommt", results: "Ergebnis", none: "Zurzeit laufen keine Ziehungen.",
  closes: "schließt in {time}", opens: "öffnet in {time}", demo: "Spielgeld", balance: "Guthaben", stake: "Einsatz", bet: "{amount} setzen", less: "Weniger", more: "Mehr",
  clear: "Leeren", choose: "Erst wählen", wait: "Bitte warten", mine: "Ihre Wetten", nobets: "Keine Wetten in dieser Ziehung.", history: "Frühere Ziehungen", nopast: "Seit dem Start des Spiels ist keine Ziehung zu Ende gegangen.", paytable: "Auszahlungen", fair: "Fairness",
  keno: "1 bis 10 Zahlen wählen", picked: "{count} gewählt", wheel: "Eine Farbe wählen", poker: "Welche Hand ist stärker, oder womit gewinnt sie?", crash: "Aussteigen bei",
  crash_hint: "Die Wette zahlt, wenn der Crash nicht früher kommt.", manual: "Von Hand aussteigen", leave: "Jetzt aussteigen", left: "Ausgestiegen bei {at}", on: "auf {choice}",
  asked: "wird angenommen", taken: "angenommen", refused: "nicht angenommen", win: "wird ausgezahlt", settled: "ausgezahlt", refund: "wird erstattet", refunded: "erstattet",
  outcome: "{stake} eingesetzt, {win} zurück.", crashed: "Crash bei {at}", red: "Rot", black: "Schwarz", tie: "Gleichstand", grey: "Grau", blue: "Blau", green: "Grün", gold: "Gold",
  violet: "Violett", "high card": "Höchste Karte", pair: "Paar", flush: "Flush", straight: "Straße", "three of a kind": "Drilling", "straight flush": "Straight Flush",
  share: "Zahlt im Mittel {percent} zurück", fair_text: "Bevor Einsätze offen sind, steht der Startwert fest, und sein Hash ist veröffentlicht. Danach wird er offengelegt. Ihr Browser rechnet Hash und Ergebnis nach:",
  commitment: "Hash vor der Ziehung", seed: "Startwert", verified: "Ihr Browser kam zum selben Ergebnis.", broken: "Diese Ziehung passt NICHT zu ihrem Beweis. Sagen Sie es Ihrem Casino.",
  waiting: "Der Startwert wird mit dem Ergebnis offengelegt.", offline: "Keine Verbindung zum Spiel. Es läuft von selbst weiter; Ihre Wetten sind sicher.", closed: "Dieses Spiel ist nicht mehr offen. Gehen Sie zurück und öffnen Sie es neu.",
  notnow: "Die Wette wurde nicht angenommen: {why}.", unsure: "Zu dieser Wette gibt es noch keine Antwort. Ihr Stand erscheint unten.", pays: "zahlt", draw: "Ziehung {edition}", cancelled: "abgesagt, Einsätze erstattet",
};

export const CATALOGUES = { en: EN, de: DE };

export class Words {
  constructor(language) {
    this.language = Object.hasOwn(CATALOGUES, language.slice(0, 2)) ? language.slice(0, 2) : "en";
    this.words = CATALOGUES[this.language];
    this.formats = {};
  }

  say(key, values = {}) { return (this.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? "")); }

  money(amount, currency) {
    try { return this.#format(currency).format(amount); } catch { return `${amount} ${currency}`; }
  }

  /** Made once: making one costs more than all that it formats. */
  #format(currency) {
    return (this.formats[currency] ??= new Intl.NumberFormat(this.language, { style: "currency", currency }));
  }
}

/** An element with attributes and children; text is always text. */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split("."), made = document.createElement(name || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat(2).filter((child) => child != null && child !== false));
  return made;
}
