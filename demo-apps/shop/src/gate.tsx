import type { GatePage } from '@slo-hub-demo/shared';
import { SignedOutNotice, type SignedOutEvent } from '@slo-hub/client/react';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import { BRAND } from './brand';
import { Icon } from './icon';
import { useTitle } from './use-title';

interface GateProps {
  readonly page: GatePage;
  /** The session has just ended elsewhere: the SDK's notice tells of it. */
  readonly event?: SignedOutEvent | undefined;
  readonly onAction?: (() => void) | undefined;
  readonly children?: ReactNode;
}

/** A page for somebody who is outside. */
export function Gate({ page, event, onAction, children }: GateProps) {
  useTitle(page.title);
  const actions = <Actions page={page} onAction={onAction} />;
  return (
    <main className="gate" aria-busy={page.isBusy}>
      {page.isNamed && (
        <p className="gate-name">
          <span className="gate-logo"><Icon path={BRAND.logo} /></span>
          {BRAND.name}
        </p>
      )}
      {page.mark && (
        <span className={page.isNamed ? 'gate-mark' : 'gate-mark pulse'}><Icon path={page.mark} /></span>
      )}
      {event ? <Notice page={page} event={event}>{actions}</Notice> : <><Words page={page} />{actions}</>}
      {children}
    </main>
  );
}

function Words({ page }: { page: GatePage }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (page.isNews) heading.current?.focus();
  }, [page.isNews]);
  return (
    <>
      {page.heading && <h1 ref={heading} tabIndex={page.isNews ? -1 : undefined}>{page.heading}</h1>}
      <p className={page.isBusy ? 'unseen' : 'gate-lead'} role={page.leadRole}>{page.lead}</p>
    </>
  );
}

/** The same in the SDK's notice, which sees to the focus and to what is announced. */
function Notice({ page, event, children }: { page: GatePage; event: SignedOutEvent; children: ReactNode }) {
  const told = useMemo(() => ({ ...event, reason: page.lead }), [event, page.lead]);
  return <SignedOutNotice event={told} heading={page.heading}>{children}</SignedOutNotice>;
}

function Actions({ page, onAction }: Pick<GateProps, 'page' | 'onAction'>) {
  return (
    <>
      {page.action && <button className="primary large" onClick={onAction}>{page.action}</button>}
      {page.fine && <p className="gate-fine">{page.fine}</p>}
    </>
  );
}
