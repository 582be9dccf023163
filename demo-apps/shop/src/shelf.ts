import { h, icon, type Person } from '@slo-hub-demo/shared';
import { PRODUCTS, priceText, type Product } from './products';
import type { Shop } from './shop';

const PLUS = 'M12 5v14M5 12h14';

/** The products. */
export function shelf(shop: Shop, person: Person): HTMLElement {
  const first = person.name.split(' ')[0] ?? person.name;
  const said = h('p', { class: 'unseen', role: 'status' });
  const greeting = h(
    'header',
    { class: 'greeting' },
    h('h1', {}, `Good to see you, ${first}`),
    h('p', {}, 'Few things, made well. Free delivery from €50.'),
  );
  const cards = PRODUCTS.map((product) => card(shop, product, said));
  return h('main', { class: 'shelf' }, greeting, h('ul', { class: 'cards' }, ...cards), said);
}

function card(shop: Shop, product: Product, said: HTMLElement): HTMLElement {
  const add = h(
    'button',
    { class: 'quiet', 'aria-label': `Add ${product.name} to the cart`, onclick: addOne },
    icon(PLUS),
    h('span', {}, 'Add'),
  );
  function addOne(): void {
    const count = (shop.basket.items[product.id] ?? 0) + 1;
    shop.setCount(product.id, count);
    said.textContent = `${product.name}: ${count} in the cart.`;
  }
  const has = h('span', { class: 'has' });
  shop.follow(({ items }) => {
    const count = items[product.id] ?? 0;
    has.textContent = count > 0 ? `${count} in cart` : '';
  });
  return h(
    'li',
    { class: 'card' },
    h('div', { class: 'picture' }, h('img', { src: `/products/${product.id}.svg`, alt: '', width: 240, height: 240 }), has),
    h('h2', {}, product.name),
    h('p', { class: 'about' }, product.about),
    h('div', { class: 'buy' }, h('span', { class: 'price' }, priceText(product.price)), add),
  );
}
