import { AWAY, initialsOf, type AppConfig, type Person } from '@slo-hub-demo/shared';
import { useRef, useState, type ReactNode, type ToggleEvent } from 'react';
import { BRAND } from './brand';
import { Icon } from './icon';
import type { SignOut } from './use-sign-out';

interface Account {
  readonly person: Person;
  readonly signOut: SignOut;
}

/** The bar on top: the app's name, the way to the other app, what the app adds, and the person's menu. */
export function AppBar({ config, children, ...account }: Account & { config: AppConfig; children: ReactNode }) {
  const { sibling } = config;
  return (
    <header className="bar">
      <a className="bar-name" href="/"><Icon path={BRAND.logo} className="icon bar-logo" />{BRAND.name}</a>
      <nav className="bar-nav" aria-label="Apps">
        {sibling && <a className="bar-link" href={sibling.url}>{sibling.name}<Icon path={AWAY} /></a>}
      </nav>
      {children}
      <PersonMenu {...account} />
      <button className="quiet" onClick={() => account.signOut()}>Sign out</button>
    </header>
  );
}

function PersonMenu({ person, signOut }: Account) {
  const [isOpen, setOpen] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const toggled = ({ newState }: ToggleEvent) => {
    setOpen(newState === 'open');
    if (newState === 'open') first.current?.focus();
  };
  return (
    <div className="bar-person">
      <button className="avatar" popoverTarget="person-menu" aria-label={`Account of ${person.name}`} aria-expanded={isOpen}>
        <span aria-hidden="true">{initialsOf(person)}</span>
      </button>
      <div className="menu" id="person-menu" popover="auto" onToggle={toggled}>
        <p className="menu-who"><strong>{person.name}</strong><span>{person.email}</span></p>
        <button ref={first} className="menu-item" onClick={() => signOut({ everywhere: true })}>Sign out on all devices</button>
      </div>
    </div>
  );
}
