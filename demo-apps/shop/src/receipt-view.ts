import { h } from '@slo-hub-demo/shared';
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
export function receiptView(means: Means): HTMLElement | undefined {
  if (!hasReceipt(means)) return undefined;
  const said = h('p', { class: 'receipt-said', role: 'status' }, 'Asking the apps …');
  const rows = h('tbody');
  const heads = ['App', 'Way', 'State', 'Time'].map((name) => h('th', { scope: 'col' }, name));
  const table = h('table', { hidden: true }, h('thead', {}, h('tr', {}, ...heads)), rows);
  void followReceipt(means, (deliveries, isLast) => {
    table.hidden = deliveries.length === 0;
    rows.replaceChildren(...deliveries.map(row));
    const sentence = summary(deliveries, isLast);
    // Screen readers say what changes, and should not say the same again each second.
    if (said.textContent !== sentence) said.textContent = sentence;
  });
  return h('section', { class: 'receipt', 'aria-labelledby': 'receipt' }, h('h2', { id: 'receipt' }, 'Your receipt'), said, table);
}

function row({ name, via, status, updatedAt }: Delivery): HTMLElement {
  return h(
    'tr',
    { class: status },
    h('th', { scope: 'row' }, name),
    h('td', {}, WAYS[via] ?? via),
    h('td', {}, STATES[status] ?? status),
    h('td', {}, h('time', { datetime: updatedAt }, timeText(updatedAt))),
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
