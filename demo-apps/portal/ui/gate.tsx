import type { ReactNode } from 'react';
import { DOOR, Icon, LOGO } from './icon';

/** How Portal looks from outside. */
export function Gate({ children }: { readonly children: ReactNode }) {
  return (
    <main className="gate">
      <p className="gate-name">
        <span className="gate-logo">
          <Icon path={LOGO} />
        </span>
        Portal
      </p>
      {children}
    </main>
  );
}

export function Welcome() {
  return (
    <Gate>
      <title>Portal · Your days at work</title>
      <h1>Your days at work</h1>
      <p className="gate-lead">What is new in the house, what you were paid, and when you are away. Sign in to see it.</p>
      <SignIn>Sign in</SignIn>
    </Gate>
  );
}

/** @param props.why a sentence */
export function SignedOut({ why }: { readonly why: string }) {
  return (
    <Gate>
      <title>Signed out · Portal</title>
      <span className="gate-mark">
        <Icon path={DOOR} />
      </span>
      <h1>You are signed out</h1>
      <p className="gate-lead" role="status">
        {why}
      </p>
      <SignIn>Sign in again</SignIn>
      <p className="gate-fine">Your payslips and your leave are safe, and here when you come back.</p>
    </Gate>
  );
}

export function Fault({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <Gate>
      <title>{`${title} · Portal`}</title>
      <h1>{title}</h1>
      <p className="gate-lead" role="alert">
        {text}
      </p>
      <a className="primary large" href="/">
        Go to Portal
      </a>
    </Gate>
  );
}

/** A plain link: signing in leaves the app. */
function SignIn({ children }: { readonly children: ReactNode }) {
  return (
    <a className="primary large" href="/auth/login">
      {children}
    </a>
  );
}
