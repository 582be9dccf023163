import { BUTTONS } from './buttons-style.js';

/** How the list looks. System colours follow `color-scheme`, and a person's own in forced-colors mode. */
export const LOOK = `
:host {
  display: block;
  color-scheme: light dark;
}
[part='panel'] {
  box-sizing: border-box;
  max-inline-size: var(--slo-width, 44rem);
  padding: var(--slo-padding, 0);
  font: var(--slo-font, 1rem/1.5 system-ui, sans-serif);
  color: var(--slo-color, CanvasText);
  background: var(--slo-background, transparent);
}
[part='heading'] {
  margin: 0 0 .5rem;
  font-size: 1.5em;
  line-height: 1.25;
  outline: none;
}
p {
  margin: 0;
}
[part='status']:empty, [part='notice'][hidden], [part='list']:empty {
  display: none;
}
[part='status'], [part='notice'] {
  margin-block: .75rem;
}
[part='notice'] {
  display: flex;
  flex-wrap: wrap;
  gap: .75rem;
  align-items: center;
}
[part='list'] {
  margin: 0 0 1rem;
  padding: 0;
  list-style: none;
  border: var(--slo-border, 1px solid GrayText);
  border-radius: var(--slo-radius, .75rem);
}
[part~='session'] {
  display: flex;
  flex-wrap: wrap;
  gap: .5rem 1rem;
  align-items: center;
  padding: 1rem;
}
[part~='session'] + [part~='session'] {
  border-block-start: var(--slo-border, 1px solid GrayText);
}
[part='about'] {
  flex: 1 1 14rem;
  min-inline-size: 0;
  overflow-wrap: anywhere;
}
[part='device'] {
  font-weight: 600;
}
[part='badge'] {
  margin-inline-start: .5rem;
  padding: .1rem .5rem;
  font-size: .8125em;
  border: 1px solid currentColor;
  border-radius: 1rem;
}
[part='details'], [part='ended-at-issuer'] {
  font-size: .9375em;
}
[part='details'] > * {
  display: inline;
}
[part='details'] > * + *::before {
  content: ' · ';
}
.unseen {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
dialog {
  box-sizing: border-box;
  inline-size: min(28rem, 100vw - 2rem);
  padding: 1.5rem;
  font: var(--slo-font, 1rem/1.5 system-ui, sans-serif);
  color: var(--slo-color, CanvasText);
  background: var(--slo-background, Canvas);
  border: var(--slo-border, 1px solid GrayText);
  border-radius: var(--slo-radius, .75rem);
}
dialog::backdrop {
  background: var(--slo-backdrop, rgb(0 0 0 / 50%));
}
[part='question'] {
  margin: 0 0 .5rem;
  font-size: 1.25em;
  line-height: 1.25;
}
[part='actions'] {
  display: flex;
  flex-wrap: wrap;
  gap: .75rem;
  margin-block-start: 1.25rem;
}
[part='actions'] button {
  flex: 1 1 auto;
}
${BUTTONS}`;
