import { BUTTONS } from './buttons-style.js';

/** How the dialog looks. System colours follow `color-scheme`, and a person's own in forced-colors mode. */
export const LOOK = `
:host {
  color-scheme: light dark;
}
[part='dialog'] {
  box-sizing: border-box;
  inline-size: min(var(--slo-width, 28rem), 100vw - 2rem);
  max-block-size: calc(100dvb - 2rem);
  overflow: auto;
  margin: auto;
  padding: var(--slo-padding, 1.5rem);
  font: var(--slo-font, 1rem/1.5 system-ui, sans-serif);
  color: var(--slo-color, CanvasText);
  background: var(--slo-background, Canvas);
  border: var(--slo-border, 1px solid GrayText);
  border-radius: var(--slo-radius, .75rem);
}
[part='dialog']::backdrop {
  background: var(--slo-backdrop, rgb(0 0 0 / 50%));
}
[part='heading'] {
  margin: 0 0 .5rem;
  font-size: 1.5em;
  line-height: 1.25;
}
[part='message'] {
  margin: 0 0 .5rem;
  overflow-wrap: anywhere;
}
[part='time'] {
  font-weight: 600;
  font-variant-numeric: tabular-nums;
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
[role='status'] {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@media (prefers-reduced-motion: no-preference) {
  [part='dialog'][open] {
    animation: appear .2s ease-out;
  }
}
@keyframes appear {
  from {
    opacity: 0;
    transform: translateY(.5rem);
  }
}
${BUTTONS}`;
