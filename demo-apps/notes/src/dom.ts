type Child = Node | string | null | undefined | false;
type Props = Record<string, string | boolean | number | null | undefined | ((event: Event) => void)>;

/**
 * Makes an element. A function becomes an event listener (`onclick`), `true` an empty
 * attribute, everything else an attribute; children are nodes or text, never HTML.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** A line icon on a 24 by 24 grid, for decoration: screen readers skip it. */
export function icon(path: string, className = 'icon'): SVGSVGElement {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(ns, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/** Makes these nodes the whole page. */
export function show(...nodes: Node[]): void {
  document.body.replaceChildren(...nodes);
}
