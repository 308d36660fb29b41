// Recomputes a draw from its revealed seed, in the player's own browser: the same algorithm as `croupier verify-draw`.
// SHA-256 is written out here (FIPS 180-4), so that the check needs no permission of the browser and trusts nobody's server.

const ALGORITHM = "hmac-sha256-v1";
const K = new Uint32Array(64), FIRST = new Uint32Array(8);

// The constants are the first 32 bits of the fractional parts of cube and square roots of primes.
(() => {
  const fraction = (number) => ((number - Math.floor(number)) * 2 ** 32) >>> 0;
  let found = 0;
  for (let number = 2; found < 64; number += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) prime = false;
    if (!prime) continue;
    if (found < 8) FIRST[found] = fraction(Math.sqrt(number));
    K[found] = fraction(Math.cbrt(number));
    found += 1;
  }
})();

const turn = (word, by) => (word >>> by) | (word << (32 - by));

/** SHA-256 of bytes, as 32 bytes. */
export function sha256(bytes) {
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) * 64), view = new DataView(padded.buffer);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const state = Uint32Array.from(FIRST), words = new Uint32Array(64);
  for (let start = 0; start < padded.length; start += 64) mix(state, words, view, start);
  const out = new Uint8Array(32), outView = new DataView(out.buffer);
  state.forEach((word, place) => outView.setUint32(place * 4, word));
  return out;
}

function mix(state, words, view, start) {
  for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(start + i * 4);
  for (let i = 16; i < 64; i += 1) {
    const a = words[i - 15], b = words[i - 2];
    words[i] = words[i - 16] + words[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + words[i]) >>> 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
    h = g; g = f; f = e; e = (d + one) >>> 0; d = c; c = b; b = a; a = (one + two) >>> 0; // an array for each round would cost more than the rest
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/** HMAC-SHA256. The keys here are seeds of 32 bytes. */
export function hmac(key, message) {
  const inner = new Uint8Array(64 + message.length).fill(0x36, 0, 64), outer = new Uint8Array(96).fill(0x5c, 0, 64);
  key.forEach((byte, place) => { inner[place] ^= byte; outer[place] ^= byte; });
  inner.set(message, 64);
  outer.set(sha256(inner), 64);
  return sha256(outer);
}

export const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
export const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The lower-case hex SHA-256 of a seed in hex. */
export const commitmentOf = (seed) => hexOf(sha256(bytesOf(seed)));

/** Unbiased numbers of one draw, as sandbox/draws/fairness.py makes them. */
export class Stream {
  constructor(seed, gameType, edition) {
    this.seed = bytesOf(seed);
    this.label = `${ALGORITHM}:${gameType}:${edition}`;
    this.number = 0;
    this.words = [];
  }

  #word() {
    if (!this.words.length) {
      const view = new DataView(hmac(this.seed, new TextEncoder().encode(`${this.label}:${this.number}`)).buffer);
      this.number += 1;
      this.words = [0, 8, 16, 24].map((start) => view.getBigUint64(start));
    }
    return this.words.shift();
  }

  /** A number from 0 to `limit` - 1, each with the same chance. */
  below(limit) {
    const size = 1n << 64n, whole = size - (size % BigInt(limit));
    for (;;) {
      const word = this.#word();
      if (word < whole) return Number(word % BigInt(limit));
    }
  }

  /** Different numbers from 0 to `population` - 1 in the order in which they are drawn. */
  sample(population, size) {
    const pool = Array.from({ length: population }, (_, place) => place);
    for (let place = 0; place < size; place += 1) {
      const taken = place + this.below(population - place);
      [pool[place], pool[taken]] = [pool[taken], pool[place]];
    }
    return pool.slice(0, size);
  }
}
