export interface Product {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  /** In cents. */
  readonly price: number;
}

export const PRODUCTS: readonly Product[] = [
  { id: 'mug', name: 'Harbour mug', about: 'Stoneware, half-dipped, 300 ml', price: 2400 },
  { id: 'teapot', name: 'Terracotta teapot', about: 'For four, or for a long afternoon', price: 6800 },
  { id: 'throw', name: 'Dune throw', about: 'Undyed lambswool, 130 × 180 cm', price: 12900 },
  { id: 'lamp', name: 'Drafting lamp', about: 'Steel arm, brass shade, warm light', price: 14500 },
  { id: 'carafe', name: 'Rain carafe', about: 'Hand-blown glass, cork stopper', price: 3900 },
  { id: 'bowl', name: 'Orchard bowl', about: 'Turned from one piece of pear wood', price: 5600 },
  { id: 'candle', name: 'Beeswax candle', about: 'Burns forty hours, smells of June', price: 1800 },
  { id: 'fern', name: 'Fern in a pot', about: 'Likes shade and being talked to', price: 3200 },
];

export function productById(id: string): Product | undefined {
  return PRODUCTS.find((product) => product.id === id);
}

const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

export function priceText(cents: number): string {
  return EUROS.format(cents / 100);
}
