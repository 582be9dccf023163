import type { Person } from '@slo-hub-demo/shared';
import { useState } from 'react';
import { Icon } from './icon';
import { PRODUCTS, priceText, type Product } from './products';
import type { Shop } from './use-basket';

const PLUS = 'M12 5v14M5 12h14';

/** The products. */
export function Shelf({ shop, person }: { shop: Shop; person: Person }) {
  const [said, say] = useState('');
  const addOne = ({ id, name }: Product) => {
    const count = (shop.basket.items[id] ?? 0) + 1;
    shop.setCount(id, count);
    say(`${name}: ${count} in the cart.`);
  };
  return (
    <main className="shelf">
      <header className="greeting">
        <h1>{`Good to see you, ${person.name.split(' ')[0] ?? person.name}`}</h1>
        <p>Few things, made well. Free delivery from €50.</p>
      </header>
      <ul className="cards">
        {PRODUCTS.map((product) => (
          <Card key={product.id} product={product} count={shop.basket.items[product.id] ?? 0} onAdd={() => addOne(product)} />
        ))}
      </ul>
      <p className="unseen" role="status">{said}</p>
    </main>
  );
}

function Card({ product, count, onAdd }: { product: Product; count: number; onAdd: () => void }) {
  return (
    <li className="card">
      <div className="picture">
        <img src={`/products/${product.id}.svg`} alt="" width={240} height={240} />
        <span className="has">{count > 0 && `${count} in cart`}</span>
      </div>
      <h2>{product.name}</h2>
      <p className="about">{product.about}</p>
      <div className="buy">
        <span className="price">{priceText(product.price)}</span>
        <button className="quiet" aria-label={`Add ${product.name} to the cart`} onClick={onAdd}>
          <Icon path={PLUS} />
          <span>Add</span>
        </button>
      </div>
    </li>
  );
}
