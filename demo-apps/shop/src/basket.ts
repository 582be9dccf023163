import { productById, type Product } from './products';

export interface Order {
  readonly number: string;
  readonly at: string;
  readonly total: number;
}

/** What one person has in the cart, and has ordered. */
export interface Basket {
  /** Product id → how many. */
  readonly items: Readonly<Record<string, number>>;
  readonly orders: readonly Order[];
}

export interface Line {
  readonly product: Product;
  readonly count: number;
}

export function emptyBasket(): Basket {
  return { items: {}, orders: [] };
}

export function linesOf(basket: Basket): Line[] {
  return Object.entries(basket.items).flatMap(([id, count]) => {
    const product = productById(id);
    return product ? [{ product, count }] : [];
  });
}

export function countOf(basket: Basket): number {
  return linesOf(basket).reduce((sum, { count }) => sum + count, 0);
}

const FREE_FROM = 5000;
const DELIVERY = 490;

export function deliveryOf(basket: Basket): number {
  return goodsOf(basket) >= FREE_FROM ? 0 : DELIVERY;
}

export function totalOf(basket: Basket): number {
  return goodsOf(basket) + deliveryOf(basket);
}

export function goodsOf(basket: Basket): number {
  return linesOf(basket).reduce((sum, { product, count }) => sum + product.price * count, 0);
}

/** Puts so many of a product into the cart; none takes it out. */
export function withCount(basket: Basket, id: string, count: number): Basket {
  const { [id]: _before, ...others } = basket.items;
  const items = count > 0 ? { ...basket.items, [id]: count } : others;
  return { ...basket, items };
}

export function withOrder(basket: Basket, at: Date): Basket {
  const number = `F-${1001 + basket.orders.length}`;
  const order = { number, at: at.toISOString(), total: totalOf(basket) };
  return { items: {}, orders: [order, ...basket.orders] };
}
