import type { MouseEvent, RefObject } from 'react';
import { countOf, deliveryOf, goodsOf, linesOf, totalOf, type Basket, type Line, type Order } from './basket';
import { Icon } from './icon';
import { priceText } from './products';
import type { Shop } from './use-basket';

const BAG = 'M5 8h14l-1 12H6L5 8zM9 8V7a3 3 0 0 1 6 0v1';
const CROSS = 'M6 6l12 12M18 6L6 18';

/** The button in the app bar that opens the cart. */
export function CartButton({ basket, onOpen }: { basket: Basket; onOpen: () => void }) {
  const count = countOf(basket);
  return (
    <button className="cart-button" aria-label={`Cart, ${count === 1 ? '1 item' : `${count} items`}`} onClick={onOpen}>
      <Icon path={BAG} />
      <span className="badge">{count > 0 && count}</span>
    </button>
  );
}

/** The cart, as a panel that slides in from the side. Whoever holds the ref opens it. */
export function CartPanel({ shop, ref }: { shop: Shop; ref: RefObject<HTMLDialogElement | null> }) {
  const { basket } = shop;
  const lines = linesOf(basket);
  const close = () => ref.current?.close();
  const closeOutside = ({ target, currentTarget }: MouseEvent) => {
    if (target === currentTarget) close();
  };
  return (
    <dialog ref={ref} className="cart" aria-labelledby="cart-title" onClick={closeOutside}>
      <header>
        <h2 id="cart-title">Your cart</h2>
        <button className="round" aria-label="Close the cart" onClick={close}><Icon path={CROSS} /></button>
      </header>
      <div className="cart-body">
        {lines.length === 0 && <p className="empty">Nothing in it yet.</p>}
        {lines.length > 0 && (
          <>
            <ul className="lines">{lines.map((line) => <LineItem key={line.product.id} shop={shop} line={line} />)}</ul>
            <Checkout shop={shop} />
          </>
        )}
        {basket.orders.length > 0 && <Orders placed={basket.orders} />}
      </div>
    </dialog>
  );
}

function LineItem({ shop, line: { product, count } }: { shop: Shop; line: Line }) {
  const stepBy = (change: number) => () => shop.setCount(product.id, count + change);
  return (
    <li className="line">
      <img src={`/products/${product.id}.svg`} alt="" width={64} height={64} />
      <div className="line-text">
        <h3>{product.name}</h3>
        <p>{priceText(product.price * count)}</p>
      </div>
      <div className="stepper">
        <button className="round" aria-label={`One less of ${product.name}`} onClick={stepBy(-1)}>−</button>
        <span>{count}</span>
        <button className="round" aria-label={`One more of ${product.name}`} onClick={stepBy(1)}>+</button>
      </div>
    </li>
  );
}

function Checkout({ shop: { basket, order } }: { shop: Shop }) {
  const delivery = deliveryOf(basket);
  return (
    <div className="checkout">
      <p className="sum"><span>Subtotal</span><span>{priceText(goodsOf(basket))}</span></p>
      <p className="sum"><span>Delivery</span><span>{delivery === 0 ? 'Free' : priceText(delivery)}</span></p>
      <p className="sum total"><span>Total</span><span>{priceText(totalOf(basket))}</span></p>
      <button className="primary large" onClick={order}>Place order</button>
    </div>
  );
}

function Orders({ placed }: { placed: readonly Order[] }) {
  return (
    <section className="orders" aria-label="Your orders">
      <h3>Your orders</h3>
      <ul role="list">
        {placed.map(({ number, at, total }) => (
          <li key={number}><strong>{number}</strong><span>{dateText(at)}</span><span>{priceText(total)}</span></li>
        ))}
      </ul>
    </section>
  );
}

function dateText(rfc3339: string): string {
  return new Date(rfc3339).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });
}
