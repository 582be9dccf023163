import type { SignedIn } from '../lib/session';
import type { Sibling } from '../lib/settings';
import { AWAY, Icon, LOGO } from './icon';

const PAGES = [
  { href: '/', name: 'Home' },
  { href: '/payslips', name: 'Payslips' },
  { href: '/leave', name: 'Leave' },
];

interface BarProps extends SignedIn {
  readonly siblings: readonly Sibling[];
  /** The path of the page that is open. */
  readonly at: string;
}

/**
 * The bar on top. Its links are plain, so that the server is asked before anything is shown: what a router keeps in the
 * browser would still be there after a sign-out.
 */
export function Bar({ person, leaving, siblings, at }: BarProps) {
  return (
    <>
      <header className="bar">
        <a className="bar-name" href="/">
          <Icon path={LOGO} className="icon bar-logo" />
          Portal
        </a>
        <nav className="bar-nav" aria-label="Apps">
          {siblings.map(({ name, url }) => (
            <a className="bar-link" href={url} key={name}>
              {name}
              <Icon path={AWAY} />
            </a>
          ))}
        </nav>
        <span className="bar-who">{person.name}</span>
        <SignOut leaving={leaving} />
      </header>
      <nav className="pages" aria-label="Portal">
        {PAGES.map(({ href, name }) => (
          <a href={href} key={href} aria-current={href === at ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
    </>
  );
}

function SignOut({ leaving }: { readonly leaving: SignedIn['leaving'] }) {
  return (
    <form method="post" action="/sign-out">
      {Object.entries(leaving).map(([name, value]) => (
        <input type="hidden" name={name} value={value} key={name} />
      ))}
      <button className="quiet">
        <span>
          Sign out<span className="when-wide"> this device</span>
        </span>
      </button>
    </form>
  );
}
