// The results of each game from the numbers of its draw: sandbox/draws has the same rules, and a test compares both.

import { Stream, commitmentOf } from "./fairness.js";

export const PAYS_WHEEL = { grey: "2.00", blue: "3.00", green: "8.00", gold: "16.00", violet: "48.00" };
const LETTERS = { y: "grey", b: "blue", n: "green", g: "gold", v: "violet" };
export const SEGMENTS = [..."vybybynbybygybybnybybynybygbybynybyybnybybygybynyy"].map((letter) => LETTERS[letter]);
export const RANKS = "23456789TJQKA", SUITS = "cdhs";
export const DECK = [...RANKS].flatMap((rank) => [...SUITS].map((suit) => rank + suit));
export const CATEGORIES = ["high card", "pair", "flush", "straight", "three of a kind", "straight flush"];
export const POKER = 3, KENO = 23, WHEEL = 24, CRASH = 25;
const HIGHEST = 10000;

/** The crash point in hundredths for an outcome from 1 to 1,000,000. */
export const crashPoint = (outcome) => Math.max(100, Math.min(HIGHEST, Math.floor(97000000 / outcome)));

/** The multiplier in hundredths that is shown after this time of play. */
export const multiplierAfter = (elapsedMs) => Math.min(HIGHEST, 100 + Math.floor((elapsedMs * (elapsedMs + 8000)) / 200000));

/** What compares two hands of three cards: the category's place, then the ranks that decide. */
export function strength(hand) {
  const ranks = hand.map((card) => Math.floor(card / 4)).sort((a, b) => b - a);
  const counts = new Map();
  for (const rank of ranks) counts.set(rank, (counts.get(rank) || 0) + 1);
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0]).map(([rank]) => rank);
  if (byCount.length < 3) return [CATEGORIES.indexOf(byCount.length === 1 ? "three of a kind" : "pair"), ...byCount];
  const flush = new Set(hand.map((card) => card % 4)).size === 1, low = ranks.join() === "12,1,0";
  if (low || ranks[0] - ranks[2] === 2) return [CATEGORIES.indexOf(flush ? "straight flush" : "straight"), low ? 1 : ranks[0]];
  return [CATEGORIES.indexOf(flush ? "flush" : "high card"), ...ranks];
}

function compare(one, other) {
  for (let place = 0; place < Math.max(one.length, other.length); place += 1) {
    const by = (one[place] ?? -1) - (other[place] ?? -1);
    if (by) return by;
  }
  return 0;
}

const GAMES = {
  [POKER]: (numbers) => {
    const cards = numbers.sample(52, 6), red = strength(cards.slice(0, 3)), black = strength(cards.slice(3)), by = compare(red, black);
    return [...cards.map((card) => DECK[card]), by === 0 ? "tie" : by > 0 ? "red" : "black", CATEGORIES[by > 0 ? red[0] : black[0]]];
  },
  [KENO]: (numbers) => numbers.sample(80, 20).map((number) => number + 1),
  [WHEEL]: (numbers) => { const place = numbers.below(50); return [place + 1, SEGMENTS[place]]; },
  [CRASH]: (numbers) => [crashPoint(numbers.below(1000000) + 1)],
};

/** The results of a draw from its seed in hex. */
export const resultsOf = (seed, gameType, edition) => GAMES[gameType](new Stream(seed, gameType, edition));

/** Check a draw that ended: does the seed fit the commitment, and give these results? */
export function check({ gameType, gameEdition, proof, results }) {
  const commitment = commitmentOf(proof.seed) === proof.commitment;
  const computed = resultsOf(proof.seed, gameType, gameEdition);
  return { commitment, results: !results || computed.join() === results.join(), computed };
}
