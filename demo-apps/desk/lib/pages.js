import { html, raw } from '@slo-hub-demo/shared/html';

const LOGO = 'M4 13a8 8 0 0 1 16 0M4 13v4a2 2 0 0 0 2 2h1v-6H4zM20 13v4a2 2 0 0 1-2 2h-1v-6h3zM18 19a3 3 0 0 1-3 2h-2';
const DOOR = 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M10 12h10M16 8l4 4-4 4';
const AWAY = 'M8 16l8-8M9 8h7v7';

const STATES = { open: 'Open', waiting: 'Waiting for the customer', solved: 'Solved' };

/** @param {{name: string, url: string}[]} siblings the other apps of the company */
export function ticketsPage({ person, tickets, siblings, leaving }) {
  const open = tickets.filter(({ state }) => state === 'open').length;
  return layout({
    title: 'Desk',
    body: html`
      ${bar({ person, siblings, leaving })}
      <main class="desk">
        <header class="greeting">
          <h1>${open} ${open === 1 ? 'person waits' : 'people wait'} for an answer</h1>
          <p>You are signed in as <strong>${person.name}</strong>.</p>
        </header>
        <ul class="tickets">${tickets.map(ticketItem)}</ul>
      </main>`,
  });
}

export function welcomePage() {
  return gate({
    title: 'Desk · Nobody waits for long',
    main: html`
      <h1>Nobody waits for long</h1>
      <p class="gate-lead">Every question a customer has asked, and who looks after it. Sign in to see them.</p>
      ${signIn('Sign in')}`,
  });
}

/** @param {string} why a sentence */
export function signedOutPage(why) {
  return gate({
    title: 'Signed out · Desk',
    main: html`
      <span class="gate-mark">${icon(DOOR)}</span>
      <h1>You are signed out</h1>
      <p class="gate-lead" role="status">${why}</p>
      ${signIn('Sign in again')}
      <p class="gate-fine">Your tickets are safe, and here when you come back.</p>`,
  });
}

export function faultPage({ title, text }) {
  return gate({
    title: `${title} · Desk`,
    main: html`
      <h1>${title}</h1>
      <p class="gate-lead" role="alert">${text}</p>
      <a class="primary large" href="/">Go to Desk</a>`,
  });
}

function bar({ person, siblings, leaving }) {
  const link = ({ name, url }) => html`<a class="bar-link" href="${url}">${name}${icon(AWAY)}</a>`;
  return html`
    <header class="bar">
      <a class="bar-name" href="/">${icon(LOGO, 'icon bar-logo')}Desk</a>
      <nav class="bar-nav" aria-label="Apps">${siblings.map(link)}</nav>
      <span class="bar-who">${person.name}</span>
      <form method="post" action="/sign-out">
        ${Object.entries(leaving).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
        <button class="quiet">Sign out</button>
      </form>
    </header>`;
}

function ticketItem({ id, subject, from, state, writtenAt }) {
  return html`
    <li class="ticket">
      <span class="ticket-state ${state}">${STATES[state]}</span>
      <h2>${subject}</h2>
      <p class="ticket-line">#${id} · ${from} · ${time(writtenAt)}</p>
    </li>`;
}

function time(date) {
  const text = date.toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  return html`<time datetime="${date.toISOString()}">${text}</time>`;
}

function signIn(text) {
  return html`<a class="primary large" href="/login">${text}</a>`;
}

function gate({ title, main }) {
  const name = html`<p class="gate-name"><span class="gate-logo">${icon(LOGO)}</span>Desk</p>`;
  return layout({ title, body: html`<main class="gate">${name}${main}</main>` });
}

function icon(path, className = 'icon') {
  return html`<svg viewBox="0 0 24 24" class="${className}" aria-hidden="true"><path d="${path}"/></svg>`;
}

function layout({ title, body }) {
  return String(html`${raw('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title}</title>
        <link rel="icon" href="/icon.svg">
        <link rel="stylesheet" href="/assets/desk.css">
      </head>
      <body>${body}</body>
    </html>`);
}
