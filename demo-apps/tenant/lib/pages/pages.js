import { readFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { browserName } from './browser-name.js';
import { html, raw } from '@slo-hub-demo/shared/html';

const STYLE = await readFile(new URL('./tenant.css', import.meta.url), 'utf8');

export const styleRoute = ['GET', '/assets/tenant.css', (ctx) => {
  ctx.type = 'css';
  ctx.set('Cache-Control', 'no-cache');
  ctx.body = STYLE;
}];

export function sendPage(ctx, page, status = 200) {
  ctx.status = status;
  ctx.type = 'html';
  ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'");
  ctx.set('Referrer-Policy', 'same-origin');
  ctx.body = page;
}

export function loginPage({ appName, users }) {
  return layout({
    title: `Sign in to ${appName}`,
    main: html`
      <h1>Welcome back</h1>
      <p class="lead">Sign in to Fernhill to continue to <strong>${appName}</strong>.</p>
      <form method="post" action="/u/login">
        <ul class="people">${users.map(personButton)}</ul>
      </form>
      <p class="fine">
        These two people are ready to use and need no password. This sign-in page runs on
        your own machine, in place of an Auth0 tenant.
      </p>`,
  });
}

function personButton({ id, name, email }) {
  return html`
    <li>
      <button class="person" name="user" value="${id}">
        ${avatar(name)}
        <span class="who"><span class="name">${name}</span><span class="mail">${email}</span></span>
        <svg class="go" viewBox="0 0 20 20" aria-hidden="true"><path d="M8 5l5 5-5 5"/></svg>
      </button>
    </li>`;
}

export function accountPage({ user, sessions }) {
  const many = sessions.length > 1;
  return layout({
    title: 'Your sessions',
    wide: true,
    main: html`
      <header class="profile">
        ${avatar(user.name)}
        <div><p class="name">${user.name}</p><p class="mail">${user.email}</p></div>
      </header>
      <h1>Where you are signed in</h1>
      <p class="lead">
        Ending a session here signs you out of every app that was opened from it.
      </p>
      <ul class="sessions">${sessions.map(sessionItem)}</ul>
      <form method="post" action="/account/sessions/end-all" ${raw(many ? '' : 'hidden')}>
        <button class="danger wide">Sign out everywhere</button>
      </form>`,
  });
}

function sessionItem({ sid, current, apps, browser, authenticatedAt }) {
  const name = browserName(browser.userAgent);
  const used = apps.length > 0 ? listOf(apps) : 'No apps yet';
  return html`
    <li class="session">
      <svg class="device" viewBox="0 0 24 24" aria-hidden="true">
        <rect x="3" y="4" width="18" height="13" rx="2"/><path d="M8 21h8M12 17v4"/>
      </svg>
      <div class="about">
        <p class="name">${name} ${raw(current ? '<span class="tag">This browser</span>' : '')}</p>
        <p class="apps">${used}</p>
        <p class="since">Signed in ${time(authenticatedAt)}</p>
      </div>
      <form method="post" action="/account/sessions/${encodeURIComponent(sid)}/end">
        <button class="quiet" aria-label="Sign out ${name}${current ? ', this browser' : ''}">Sign out</button>
      </form>
    </li>`;
}

export function signedOutPage() {
  return layout({
    title: 'Signed out',
    main: html`
      <div class="mark" aria-hidden="true">
        <svg viewBox="0 0 24 24"><path d="M5 12.5l4.5 4.5L19 7.5"/></svg>
      </div>
      <h1>You are signed out</h1>
      <p class="lead">Your session at Fernhill has ended. You can close this tab.</p>
      <p><a class="button" href="/account">Sign in to your account</a></p>`,
  });
}

export function faultPage({ title, text }) {
  return layout({
    title,
    main: html`<h1>${title}</h1><p class="lead">${text}</p><p><a class="button" href="/account">Your account</a></p>`,
  });
}

/** What oidc-provider shows a person when a request of an application is wrong. */
export function errorPage(ctx, { error, error_description: description }) {
  const page = faultPage({
    title: 'That did not work',
    text: description ?? error ?? STATUS_CODES[ctx.status],
  });
  sendPage(ctx, page, ctx.status);
}

function layout({ title, main, wide = false }) {
  return String(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · Fernhill</title>
    <link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
    <link rel="stylesheet" href="/assets/tenant.css">
  </head>
  <body>
    <main class="${wide ? 'card wide' : 'card'}">
      <p class="brand">${raw(LOGO)}<span>Fernhill</span></p>
      ${main}
    </main>
  </body>
</html>`);
}

const LEAF = 'M27 5C14 5 6 11 6 20c0 3 1 5 2 6 10 1 19-5 19-21zM5 29c3-9 8-13 14-16';
const LOGO = `<svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><path d="${LEAF}"/></svg>`;
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#2f6b4f" stroke-width="3" stroke-linecap="round"><path d="${LEAF}"/></svg>`;

function avatar(name) {
  const initials = name.split(' ').map((word) => word[0]).slice(0, 2).join('');
  return html`<span class="avatar" aria-hidden="true">${initials}</span>`;
}

function listOf(words) {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(words);
}

function time(iso) {
  const shown = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));
  return html`<time datetime="${iso}">${shown}</time>`;
}
