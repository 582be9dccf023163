/** How the elements' own buttons look: large enough for a finger, with the browser's own focus ring around them. */
export const BUTTONS = `
button {
  box-sizing: border-box;
  min-block-size: 2.75rem;
  padding: .5rem 1rem;
  font: inherit;
  font-weight: 600;
  color: inherit;
  background: transparent;
  border: 1px solid GrayText;
  border-radius: .5rem;
  cursor: pointer;
}
button:focus-visible {
  outline: 3px solid var(--slo-accent, LinkText);
  outline-offset: 2px;
}
button:disabled {
  opacity: .6;
  cursor: default;
}
button:is([part='stay'], [part='confirm']) {
  color: var(--slo-accent-text, Canvas);
  background: var(--slo-accent, CanvasText);
  border-color: transparent;
}
`;
