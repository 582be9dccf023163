import { userStore, type Person } from '@slo-hub-demo/shared';
import { useState } from 'react';
import { emptyBasket, withCount, withOrder, type Basket } from './basket';

/** The basket of the person who is signed in, and what they can do with it. */
export interface Shop {
  readonly basket: Basket;
  setCount(productId: string, count: number): void;
  order(): void;
}

/** The person's basket, kept in this browser. It is read once: another person needs a component of their own. */
export function useBasket({ sub }: Person): Shop {
  const [store] = useState(() => userStore<Basket>('shop', sub, emptyBasket));
  const [basket, show] = useState(store.load);
  const change = (changed: Basket) => {
    store.save(changed);
    show(changed);
  };
  return {
    basket,
    setCount: (id, count) => change(withCount(basket, id, count)),
    order: () => change(withOrder(basket, new Date())),
  };
}
