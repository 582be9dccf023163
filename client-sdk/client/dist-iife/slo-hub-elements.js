/*! slo-hub browser SDK | MIT OR Apache-2.0 */
"use strict";(()=>{var d=`
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
`;var l="slo-signed-out",m=100,h={app:"You signed out in another app.",session_api:"This session was ended from the list of your devices.",admin:"An administrator ended your session.",idle:"You were away for a while.",absolute:"Your session had reached its time limit.",signal:"Your session was ended to protect your account."},p="Your session has ended.",g=globalThis.HTMLElement??class{},i=class extends g{static observedAttributes=["heading","message"];#e=null;#s;#o=o("h1","heading");#t=o("p","message");#n=o("time","time");constructor(){super();let e=o("div","notice"),t=document.createElement("div");t.role="status",t.append(this.#t),this.#o.tabIndex=-1;let s=o("div","actions");s.append(document.createElement("slot")),e.append(this.#o,t,this.#n,s);let a=this.attachShadow({mode:"open"}),r=new CSSStyleSheet;r.replaceSync(d),a.adoptedStyleSheets=[r],a.append(e)}get event(){return this.#e}set event(e){e!==this.#e&&(this.#e=e??null,this.#i(),this.isConnected&&this.#a())}connectedCallback(){if(Object.hasOwn(this,"event")){let{event:e}=this;Reflect.deleteProperty(this,"event"),this.event=e}else this.#a()}disconnectedCallback(){clearTimeout(this.#s),this.#t.textContent=""}attributeChangedCallback(){this.#i(),this.#t.textContent&&this.#r()}#i(){let e=this.#e;this.toggleAttribute("open",!!e),c(this.#o,this.getAttribute("heading"),"You are signed out");let t=new Date(e?.occurredAt??NaN);if(this.#n.hidden=isNaN(t.getTime()),this.#n.hidden)return;let s=this.closest("[lang]")?.lang||void 0;this.#n.dateTime=t.toISOString(),this.#n.textContent=t.toLocaleString(s,{dateStyle:"medium",timeStyle:"short"})}#a(){clearTimeout(this.#s),this.#t.textContent="",this.#e&&(this.#o.focus(),this.#s=setTimeout(()=>this.#r(),m))}#r(){let{reason:e,source:t}=this.#e;c(this.#t,e||this.getAttribute("message"),h[t]??p)}};function o(n,e){let t=document.createElement(n);return t.setAttribute("part",e),t}function c(n,e,t){n.textContent=e??t,e===null?n.lang="en":n.removeAttribute("lang")}function u(){let{customElements:n}=globalThis;n&&!n.get(l)&&n.define(l,i)}u();})();
