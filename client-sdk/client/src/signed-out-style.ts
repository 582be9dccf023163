/**
 * How the notice looks. System colours follow `color-scheme`, and a person's own in forced-colors mode; whatever the
 * page says of the element itself goes before `:host`.
 */
export const LOOK = `
:host {
  display: block;
  color-scheme: light dark;
}
[part='notice'] {
  box-sizing: border-box;
  max-inline-size: var(--slo-width, 32rem);
  margin-inline: auto;
  font: var(--slo-font, 1rem/1.5 system-ui, sans-serif);
}
:host([open]) [part='notice'] {
  padding: var(--slo-padding, 1.5rem);
  color: var(--slo-color, CanvasText);
  background: var(--slo-background, Canvas);
  border: var(--slo-border, 1px solid GrayText);
  border-radius: var(--slo-radius, .75rem);
}
:host(:not([open])) :is([part='heading'], [part='time'], [part='actions']) {
  display: none;
}
[part='heading'] {
  margin: 0 0 .5rem;
  font-size: 1.5em;
  line-height: 1.25;
  outline: none;
}
[part='message'] {
  margin: 0 0 .5rem;
  overflow-wrap: anywhere;
}
[part='message']:empty {
  margin: 0;
}
[part='actions'] {
  margin-block-start: 1rem;
}
@media (prefers-reduced-motion: no-preference) {
  :host([open]) [part='notice'] {
    animation: appear .2s ease-out;
  }
}
@keyframes appear {
  from {
    opacity: 0;
    transform: translateY(.5rem);
  }
}
`;
