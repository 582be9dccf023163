import type { UserStore } from '@slo-hub-demo/shared';
import { withCount, withOrder, type Basket } from './basket';

/** The basket of the person who is signed in, and everybody who wants to hear that it changed. */
export interface Shop {
  readonly basket: Basket;
  setCount(productId: string, count: number): void;
  order(): void;
  /** Calls back now and after each change. */
  follow(draw: (basket: Basket) => void): void;
}

export function createShop(store: UserStore<Basket>): Shop {
  let basket = store.load();
  const followers: Array<(basket: Basket) => void> = [];

  function change(changed: Basket): void {
    basket = changed;
    store.save(basket);
    followers.forEach((draw) => draw(basket));
  }

  return {
    get basket() {
      return basket;
    },
    setCount: (id, count) => change(withCount(basket, id, count)),
    order: () => change(withOrder(basket, new Date())),
    follow(draw) {
      followers.push(draw);
      draw(basket);
    },
  };
}
