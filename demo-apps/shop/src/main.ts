import './styles.css';
import { appBar, openAccount, readConfig, show, userStore, type Account, type Brand } from '@slo-hub-demo/shared';
import { cartButton, cartPanel } from './cart-view';
import { emptyBasket, type Basket } from './basket';
import { forgetReceipt, notingSignOuts, type Means } from './receipt';
import { receiptView } from './receipt-view';
import { shelf } from './shelf';
import { createShop } from './shop';

const brand: Brand = {
  name: 'Shop',
  logo: 'M5 8h14l-1 12H6L5 8zM9 8V7a3 3 0 0 1 6 0v1M9 13a3 3 0 0 0 6 0',
  promise: 'Good things for the house',
  pitch: 'Few things, made well, by people we know by name. Sign in to see the shelves and your cart.',
  keeps: 'Your cart is',
};

const config = readConfig();
const means: Means = {
  hub: config.hub,
  storage: sessionStorage,
  fetch: (input, init) => fetch(input, init),
  now: Date.now,
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

function open(account: Account): void {
  forgetReceipt(means);
  const store = userStore<Basket>('shop', account.person.sub, emptyBasket);
  const shop = createShop(store);
  document.title = brand.name;
  const panel = cartPanel(shop);
  show(appBar({ brand, config, account }, cartButton(shop, panel)), shelf(shop, account.person), panel);
}

void openAccount(config, brand, open, { fetch: notingSignOuts(means), onSignedOutPage: () => receiptView(means) });
