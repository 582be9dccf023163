import type { Brand } from '@slo-hub-demo/shared';

export const BRAND: Brand = {
  name: 'Shop',
  logo: 'M5 8h14l-1 12H6L5 8zM9 8V7a3 3 0 0 1 6 0v1M9 13a3 3 0 0 0 6 0',
  promise: 'Good things for the house',
  pitch: 'Few things, made well, by people we know by name. Sign in to see the shelves and your cart.',
  keeps: 'Your cart is',
};
