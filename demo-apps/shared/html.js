/** Text that is HTML already. */
class Html {
  #text;
  constructor(text) {
    this.#text = text;
  }
  toString() {
    return this.#text;
  }
}

/** A template whose values are escaped, unless they are HTML themselves; arrays are joined. */
export function html(strings, ...values) {
  return new Html(strings.reduce((text, part, at) => text + render(values[at - 1]) + part));
}

/** Marks constant text of our own as HTML. Never for anything that came from outside. */
export function raw(text) {
  return new Html(text);
}

function render(value) {
  if (value instanceof Html) return String(value);
  if (Array.isArray(value)) return value.map(render).join('');
  return String(value ?? '').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
