// The words of the page's language, and numbers and times as its readers write them.

/** Words with `{name}` in them; a missing key shows itself, which a test looks for. */
export class Words {
  constructor(language, catalogue) {
    this.language = language;
    this.catalogue = catalogue;
    this.formats = {}; // making one costs more than all that it formats
  }

  say(key, values = {}) {
    return (this.catalogue[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  }

  /** Decimal text as money; a currency that the browser does not know follows the number. */
  money(amount, currency) {
    try {
      return (this.formats[currency] ??= new Intl.NumberFormat(this.language, { style: "currency", currency })).format(amount);
    } catch {
      return `${amount} ${currency}`;
    }
  }

  /** A span as minutes and seconds, or with hours. */
  clock(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000)), two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    return `${hours ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  }
}

/** An element with attributes and children. Text is always text: nothing from outside becomes markup. */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat(2).filter((child) => child != null && child !== false));
  return made;
}
