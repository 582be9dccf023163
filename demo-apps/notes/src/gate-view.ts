import type { Brand, GatePage } from '@slo-hub-demo/shared';
import { h, icon, show } from './dom';

/** Shows a page for somebody who is outside. */
export function showGate(brand: Brand, page: GatePage, onAction?: () => void): void {
  document.title = page.title;
  const heading = page.heading !== undefined && h('h1', { tabindex: page.isNews ? -1 : null }, page.heading);
  show(
    h(
      'main',
      { class: 'gate', 'aria-busy': page.isBusy ? 'true' : null },
      page.isNamed && h('p', { class: 'gate-name' }, h('span', { class: 'gate-logo' }, icon(brand.logo)), brand.name),
      page.mark && h('span', { class: page.isNamed ? 'gate-mark' : 'gate-mark pulse' }, icon(page.mark)),
      heading,
      h('p', { class: page.isBusy ? 'unseen' : 'gate-lead', role: page.leadRole }, page.lead),
      page.action && h('button', { class: 'primary large', onclick: () => onAction?.() }, page.action),
      page.fine && h('p', { class: 'gate-fine' }, page.fine),
    ),
  );
  if (heading && page.isNews) heading.focus();
}
