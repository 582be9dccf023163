import { until } from './until.js';

/**
 * Watches the page "Signing you out" in every tab of a context, and keeps each state of each
 * row as it is shown: the page itself is gone soon after the last one.
 */
export async function watchRows(context) {
  const rows = new Rows();
  await context.exposeBinding('sloSaw', (_source, shown) => rows.shown.push(shown));
  await context.addInitScript(reportRows);
  return rows;
}

class Rows {
  /** What was on the page, oldest first: `{ rows: { Notes: 'signing out…' }, summary }`. */
  shown = [];

  /** Every text that an app's row has had, in order. */
  of(name) {
    const texts = this.shown.map(({ rows }) => rows[name]).filter((text) => text !== undefined);
    return texts.filter((text, at) => text !== texts[at - 1]);
  }

  /** Waits until an app's row says so. */
  say(name, words) {
    return until(`${name} is shown as “${words}”; so far ${JSON.stringify(this.shown)}`, () => this.of(name).includes(words));
  }

  /** Every text that the live region has had, in order. */
  get summaries() {
    return this.shown.map(({ summary }) => summary).filter((text, at, all) => text !== all[at - 1]);
  }
}

/** Runs in the page. */
function reportRows() {
  if (location.pathname !== '/logout/signing-out' || window !== top) return;
  const report = () => {
    const items = [...document.querySelectorAll('[data-app]')];
    const rows = items.map((item) => [item.querySelector('.name').textContent, item.querySelector('.state').textContent]);
    globalThis.sloSaw({ rows: Object.fromEntries(rows), summary: document.getElementById('summary').textContent });
  };
  addEventListener('DOMContentLoaded', () => {
    report();
    const all = { childList: true, subtree: true, characterData: true };
    new MutationObserver(report).observe(document.querySelector('main'), all);
  });
}
