import { useEffect, useState } from 'react';
import { followReceipt, hasReceipt, type Delivery, type Means } from './receipt';

const WAYS: Record<string, string> = {
  websocket: 'Live connection',
  sse: 'Live connection',
  frontchannel: 'Hidden frame',
  backchannel: 'Server to server',
  chain: 'Redirect',
};

const STATES: Record<string, string> = {
  pending: 'Not confirmed yet',
  delivered: 'Told, not confirmed',
  acknowledged: 'Signed out',
  failed: 'Could not be reached',
};

/** Where the person was signed out by their own sign-out, as it becomes known; nothing when there is no receipt to ask for. */
export function ReceiptView({ means }: { means: Means }) {
  const [isThere] = useState(() => hasReceipt(means));
  const [{ rows, isLast }, show] = useState({ rows: [] as readonly Delivery[], isLast: false });
  useEffect(() => {
    const shown = new AbortController();
    void followReceipt(means, (rows, isLast) => show({ rows, isLast }), shown.signal);
    return () => shown.abort();
  }, [means]);
  if (!isThere) return null;
  return (
    <section className="receipt" aria-labelledby="receipt">
      <h2 id="receipt">Your receipt</h2>
      <p className="receipt-said" role="status">{summary(rows, isLast)}</p>
      <table hidden={rows.length === 0}>
        <thead>
          <tr>{['App', 'Way', 'State', 'Time'].map((name) => <th key={name} scope="col">{name}</th>)}</tr>
        </thead>
        <tbody>{rows.map((row, at) => <Row key={at} {...row} />)}</tbody>
      </table>
    </section>
  );
}

function Row({ name, via, status, updatedAt }: Delivery) {
  return (
    <tr className={status}>
      <th scope="row">{name}</th>
      <td>{WAYS[via] ?? via}</td>
      <td>{STATES[status] ?? status}</td>
      <td><time dateTime={updatedAt}>{timeText(updatedAt)}</time></td>
    </tr>
  );
}

function summary(deliveries: readonly Delivery[], isLast: boolean): string {
  if (deliveries.length === 0) return isLast ? 'There is no receipt to show.' : 'Asking the apps …';
  const open = new Set(deliveries.filter(({ status }) => status !== 'acknowledged').map(({ name }) => name));
  if (open.size === 0) return isLast ? 'Every app has confirmed that you are signed out.' : 'Asking the apps …';
  const names = [...open].join(', ');
  return isLast ? `Not confirmed: ${names}. An app that is away signs you out when it is opened again.` : `Waiting for ${names} …`;
}

function timeText(rfc3339: string): string {
  return new Date(rfc3339).toLocaleTimeString('en-GB');
}
