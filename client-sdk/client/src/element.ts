/** What the custom elements have in common. */

/** On a server there is nothing to extend; a class can be imported, and not made. */
export const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** Gives an element its shadow tree. A style sheet made by script is no inline style, which a Content-Security-Policy may forbid. */
export function dress(element: HTMLElement, look: string, ...content: Node[]): void {
  const root = element.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(look);
  root.adoptedStyleSheets = [sheet];
  root.append(...content);
}

/** An element of the shadow tree that a page can style as `::part(name)`. */
export function part<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.setAttribute('part', name);
  return element;
}

/** A button of the shadow tree, which no form takes for its own. */
export function button(name: string, pressed: () => void): HTMLButtonElement {
  const element = part('button', name);
  element.type = 'button';
  element.addEventListener('click', pressed);
  return element;
}

/** Says a text of the page's, or our own. Those are English, whatever the page is. */
export function say(element: HTMLElement, text: string | null, otherwise: string): void {
  element.textContent = text ?? otherwise;
  mark(element, text === null);
}

/** Marks whether a text is our own English one. */
export function mark(element: HTMLElement, isOurs: boolean): void {
  if (isOurs) element.lang = 'en';
  else element.removeAttribute('lang');
}

/** The language around an element; undefined is the browser's. */
export function languageAt(element: Element): string | undefined {
  return element.closest<HTMLElement>('[lang]')?.lang || undefined;
}

/** A property that was given before the element was defined hides the one that is declared. Whether that was so. */
export function upgrade<E extends HTMLElement>(element: E, name: keyof E): boolean {
  if (!Object.hasOwn(element, name)) return false;
  const value = element[name];
  Reflect.deleteProperty(element, name);
  element[name] = value;
  return true;
}

/** Makes an element known to the page; once is enough, more does no harm. On a server it does nothing. */
export function define(name: string, element: CustomElementConstructor): void {
  const { customElements } = globalThis;
  if (customElements && !customElements.get(name)) customElements.define(name, element);
}
