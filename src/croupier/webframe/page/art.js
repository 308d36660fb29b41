// A picture for each game, drawn from its name: no third party serves images here.

const SHAPES = {
  slots: (a, b) => `<g fill="${a}"><rect x="60" y="52" width="54" height="96" rx="10"/><rect x="123" y="52" width="54" height="96" rx="10"/>
<rect x="186" y="52" width="54" height="96" rx="10"/></g><g fill="${b}"><circle cx="87" cy="100" r="15"/><path d="M150 82l18 18-18 18-18-18z"/><circle cx="213" cy="100" r="15"/></g>`,
  crash: (a, b) => `<path d="M40 150C120 148 190 130 250 48" fill="none" stroke="${a}" stroke-width="9" stroke-linecap="round"/>
<circle cx="250" cy="48" r="13" fill="${b}"/><path d="M40 150h220" stroke="${a}" stroke-width="2" opacity=".5"/>`,
  lottery: (a, b) => `<g fill="${a}"><circle cx="92" cy="88" r="30"/><circle cx="160" cy="120" r="36"/><circle cx="224" cy="78" r="27"/></g>
<g fill="${b}"><circle cx="92" cy="88" r="16"/><circle cx="160" cy="120" r="20"/><circle cx="224" cy="78" r="14"/></g>`,
  live: (a, b) => `<circle cx="150" cy="100" r="62" fill="none" stroke="${a}" stroke-width="20"/>
<g stroke="${b}" stroke-width="5"><path d="M150 38v124M88 100h124M106 56l88 88M194 56l-88 88"/></g><circle cx="150" cy="100" r="16" fill="${a}"/>`,
  poker: (a, b) => `<g fill="${a}"><rect x="78" y="50" width="66" height="96" rx="9" transform="rotate(-9 111 98)"/><rect x="152" y="50" width="66" height="96" rx="9" transform="rotate(9 185 98)"/></g>
<g fill="${b}"><path d="M108 80l16 20-16 20-16-20z"/><circle cx="188" cy="100" r="15"/></g>`,
  table: (a, b) => `<g fill="${a}"><rect x="84" y="62" width="64" height="64" rx="14" transform="rotate(-12 116 94)"/><rect x="160" y="78" width="58" height="58" rx="13" transform="rotate(14 189 107)"/></g>
<g fill="${b}"><circle cx="103" cy="84" r="6"/><circle cx="129" cy="104" r="6"/><circle cx="116" cy="94" r="6"/><circle cx="189" cy="107" r="7"/></g>`,
  other: (a, b) => `<g fill="${a}"><circle cx="110" cy="104" r="34"/><circle cx="176" cy="92" r="44"/></g><circle cx="176" cy="92" r="18" fill="${b}"/>`,
};

/** A colour of the wheel that the same name always has. */
export function hueOf(name) {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 3600;
  return hash / 10;
}

/** The picture as an element. Only numbers and our own shapes are in its markup. */
export function art(game) {
  const hue = Math.round(hueOf(game.name));
  const kind = /poker/i.test(game.name) ? "poker" : SHAPES[game.category] ? game.category : "other";
  const shape = SHAPES[kind](`hsl(${hue} 70% 88% / .92)`, `hsl(${(hue + 40) % 360} 62% 42%)`);
  const made = new DOMParser().parseFromString(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
<defs><linearGradient id="g${hue}" x1="0" y1="0" x2="1" y2="1"><stop stop-color="hsl(${hue} 46% 38%)"/><stop offset="1" stop-color="hsl(${(hue + 50) % 360} 52% 20%)"/></linearGradient></defs>
<rect width="300" height="200" fill="url(#g${hue})"/><circle cx="270" cy="20" r="120" fill="#fff" opacity=".06"/><circle cx="20" cy="210" r="90" fill="#fff" opacity=".05"/>${shape}</svg>`,
    "image/svg+xml");
  return document.importNode(made.documentElement, true);
}
