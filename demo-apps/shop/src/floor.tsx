import { forgetWhy, SIGNED_OUT, type AppConfig, type Person } from '@slo-hub-demo/shared';
import { useEffect, useRef } from 'react';
import { AppBar } from './app-bar';
import { BRAND } from './brand';
import { CartButton, CartPanel } from './cart';
import { forgetReceipt, type Means } from './receipt';
import { Shelf } from './shelf';
import { useBasket } from './use-basket';
import type { SignOut } from './use-sign-out';
import { useTitle } from './use-title';

interface FloorProps {
  readonly config: AppConfig;
  readonly means: Means;
  readonly person: Person;
  readonly signOut: SignOut;
}

/** The shop itself, for one person who is signed in. */
export function Floor({ config, means, person, signOut }: FloorProps) {
  const shop = useBasket(person);
  const panel = useRef<HTMLDialogElement>(null);
  useTitle(BRAND.name);
  useEffect(() => {
    forgetWhy();
    forgetReceipt(means);
    if (location.pathname === SIGNED_OUT) history.replaceState(null, '', '/');
  }, [means]);
  return (
    <>
      <AppBar config={config} person={person} signOut={signOut}>
        <CartButton basket={shop.basket} onOpen={() => panel.current?.showModal()} />
      </AppBar>
      <Shelf shop={shop} person={person} />
      <CartPanel shop={shop} ref={panel} />
    </>
  );
}
