import { h, icon } from '@slo-hub-demo/shared';
import { countOf, deliveryOf, goodsOf, linesOf, totalOf, type Basket, type Line } from './basket';
import { priceText } from './products';
import type { Shop } from './shop';

const BAG = 'M5 8h14l-1 12H6L5 8zM9 8V7a3 3 0 0 1 6 0v1';
const CROSS = 'M6 6l12 12M18 6L6 18';

/** The button in the app bar that opens the cart. */
export function cartButton(shop: Shop, panel: HTMLDialogElement): HTMLElement {
  const badge = h('span', { class: 'badge' });
  const button = h('button', { class: 'cart-button', onclick: () => panel.showModal() }, icon(BAG), badge);
  shop.follow((basket) => {
    const count = countOf(basket);
    badge.textContent = count > 0 ? String(count) : '';
    button.setAttribute('aria-label', `Cart, ${count === 1 ? '1 item' : `${count} items`}`);
  });
  return button;
}

/** The cart, as a panel that slides in from the side. */
export function cartPanel(shop: Shop): HTMLDialogElement {
  const body = h('div', { class: 'cart-body' });
  const panel = h(
    'dialog',
    { class: 'cart', 'aria-labelledby': 'cart-title', onclick: closeOutside },
    h(
      'header',
      {},
      h('h2', { id: 'cart-title' }, 'Your cart'),
      h('button', { class: 'round', 'aria-label': 'Close the cart', onclick: () => panel.close() }, icon(CROSS)),
    ),
    body,
  );
  function closeOutside(event: Event): void {
    if (event.target === panel) panel.close();
  }
  shop.follow((basket) => draw(body, shop, basket));
  return panel;
}

function draw(body: HTMLElement, shop: Shop, basket: Basket): void {
  const focused = focusMark();
  const lines = linesOf(basket);
  const content =
    lines.length > 0
      ? [h('ul', { class: 'lines' }, ...lines.map((line) => lineItem(shop, line))), checkout(shop, basket)]
      : [h('p', { class: 'empty' }, 'Nothing in it yet.')];
  body.replaceChildren(...content, orders(basket));
  if (focused) body.querySelector<HTMLElement>(`[data-mark="${focused}"]`)?.focus();
}

/** Which stepper the person was on: drawing anew must not throw them out of it. */
function focusMark(): string | undefined {
  return document.activeElement instanceof HTMLElement ? document.activeElement.dataset['mark'] : undefined;
}

function lineItem(shop: Shop, { product, count }: Line): HTMLElement {
  const step = (change: number, label: string, sign: string) =>
    h(
      'button',
      {
        class: 'round',
        'aria-label': `${label} ${product.name}`,
        'data-mark': `${product.id}${change}`,
        onclick: () => shop.setCount(product.id, count + change),
      },
      sign,
    );
  return h(
    'li',
    { class: 'line' },
    h('img', { src: `/products/${product.id}.svg`, alt: '', width: 64, height: 64 }),
    h('div', { class: 'line-text' }, h('h3', {}, product.name), h('p', {}, priceText(product.price * count))),
    h('div', { class: 'stepper' }, step(-1, 'One less of', '−'), h('span', {}, String(count)), step(1, 'One more of', '+')),
  );
}

function checkout(shop: Shop, basket: Basket): HTMLElement {
  const delivery = deliveryOf(basket);
  const row = (name: string, value: string, className = '') =>
    h('p', { class: `sum ${className}` }, h('span', {}, name), h('span', {}, value));
  return h(
    'div',
    { class: 'checkout' },
    row('Subtotal', priceText(goodsOf(basket))),
    row('Delivery', delivery === 0 ? 'Free' : priceText(delivery)),
    row('Total', priceText(totalOf(basket)), 'total'),
    h('button', { class: 'primary large', onclick: () => shop.order() }, 'Place order'),
  );
}

function orders({ orders: placed }: Basket): HTMLElement | '' {
  if (placed.length === 0) return '';
  const date = (at: string) => new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });
  return h(
    'section',
    { class: 'orders', 'aria-label': 'Your orders' },
    h('h3', {}, 'Your orders'),
    h(
      'ul',
      { role: 'list' },
      ...placed.map(({ number, at, total }) =>
        h('li', {}, h('strong', {}, number), h('span', {}, date(at)), h('span', {}, priceText(total))),
      ),
    ),
  );
}
