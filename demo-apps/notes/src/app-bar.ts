import { AWAY, initialsOf, type AppConfig, type Brand } from '@slo-hub-demo/shared';
import type { Account } from './account';
import { h, icon } from './dom';

/** The bar on top: the app's name, the way to the other app, and the person's menu. */
export function appBar({ brand, config, account }: { brand: Brand; config: AppConfig; account: Account }): HTMLElement {
  const { sibling } = config;
  return h(
    'header',
    { class: 'bar' },
    h('a', { class: 'bar-name', href: '/' }, icon(brand.logo, 'icon bar-logo'), brand.name),
    h(
      'nav',
      { class: 'bar-nav', 'aria-label': 'Apps' },
      sibling && h('a', { class: 'bar-link', href: sibling.url }, sibling.name, icon(AWAY)),
    ),
    personMenu(account),
    h('button', { class: 'quiet', onclick: () => account.signOut() }, 'Sign out'),
  );
}

function personMenu(account: Account): HTMLElement {
  const { name, email } = account.person;
  const menu = h(
    'div',
    { class: 'menu', id: 'person-menu', popover: 'auto' },
    h('p', { class: 'menu-who' }, h('strong', {}, name), h('span', {}, email)),
    h('button', { class: 'menu-item', onclick: () => account.signOut({ everywhere: true }) }, 'Sign out on all devices'),
  );
  const button = h(
    'button',
    { class: 'avatar', popovertarget: menu.id, 'aria-label': `Account of ${name}`, 'aria-expanded': 'false' },
    h('span', { 'aria-hidden': 'true' }, initialsOf(account.person)),
  );
  menu.addEventListener('toggle', (event) => {
    const open = (event as ToggleEvent).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    if (open) menu.querySelector('button')?.focus();
  });
  return h('div', { class: 'bar-person' }, button, menu);
}
