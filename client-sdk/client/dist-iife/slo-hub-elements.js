/*! slo-hub browser SDK | MIT OR Apache-2.0 */
"use strict";(()=>{var f=globalThis.HTMLElement??class{};function b(i,e,...t){let n=i.attachShadow({mode:"open"}),s=new CSSStyleSheet;s.replaceSync(e),n.adoptedStyleSheets=[s],n.append(...t)}function r(i,e){let t=document.createElement(i);return t.setAttribute("part",e),t}function x(i,e){let t=r("button",i);return t.type="button",t.addEventListener("click",e),t}function h(i,e,t){i.textContent=e??t,w(i,e===null)}function w(i,e){e?i.lang="en":i.removeAttribute("lang")}function p(i){return i.closest("[lang]")?.lang||void 0}function y(i,e){if(!Object.hasOwn(i,e))return!1;let t=i[e];return Reflect.deleteProperty(i,e),i[e]=t,!0}function v(i,e){let{customElements:t}=globalThis;t&&!t.get(i)&&t.define(i,e)}var S=`
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
`;var _=`
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
${S}`;function T(i,e){return i.dispatchEvent(new Event("slo-sign-out",{bubbles:!0,composed:!0,cancelable:!0}))?e.logout?.()??e.signOut():void 0}var K="slo-idle-warning",q=[60,30,10,0],W=5e3,X="Are you still there?",V="You have not done anything for a while. You will be signed out in {time}.",J="You are being signed out.",C=class extends f{static observedAttributes=["heading","message","ending","stay","sign-out"];#e=null;#s=[];#n=0;#l=0;#i=0;#u=!1;#c;#t=r("dialog","dialog");#p=r("h2","heading");#o=r("p","message");#h=r("span","time");#g=document.createElement("div");#d=x("stay",()=>this.#b());#r=x("sign-out",()=>this.#k());constructor(){super(),this.#t.role="alertdialog";for(let[t,n]of[["labelledby",this.#p],["describedby",this.#o]])n.id=t,this.#t.setAttribute(`aria-${t}`,t);this.#h.role="timer",this.#g.role="status",this.#d.autofocus=!0;let e=r("div","actions");e.append(this.#d,this.#r),this.#t.append(this.#p,this.#o,document.createElement("slot"),e,this.#g),this.#t.addEventListener("close",()=>this.#n&&!this.#t.open&&this.#b()),b(this,_,this.#t)}get client(){return this.#e}set client(e){e!==this.#e&&(this.#x(),this.#e=e??null,this.isConnected&&this.#v())}connectedCallback(){y(this,"client")||this.#v()}disconnectedCallback(){this.#x()}attributeChangedCallback(){this.#n&&this.#w()}#v(){let e=this.#e;!e||this.#s.length||(this.#s=[e.on("idle-warning",({secondsLeft:t,ask:n})=>{n(),this.#T(t)}),e.on("idle-cancelled",()=>this.#a()),e.on("state",({state:t})=>{if(t==="connecting"||t==="waiting")return;let n=this.#u;this.#a(),t==="connected"&&n&&e.stay()})],document.addEventListener("visibilitychange",this.#y),this.#s.push(()=>document.removeEventListener("visibilitychange",this.#y)))}#x(){for(let e of this.#s)e();this.#s=[],this.#a()}#T(e){this.#a(),this.#l=this.#i=e,this.#f(Date.now()+e*1e3)}#f(e){this.#n=e,this.#d.disabled=this.#r.disabled=!1,this.#g.textContent="",this.#y(),this.toggleAttribute("open",!0),this.#t.showModal(),this.#d.focus()}#E(){clearTimeout(this.#c),this.#n=0,this.toggleAttribute("open",!1),this.#t.open&&this.#t.close()}#a(){this.#u=!1,this.#E()}#b(){let e=this.#n;this.#E(),this.#u=this.#e?.state!=="connected",this.#e?.stay(),this.#u||(this.#c=setTimeout(()=>Date.now()<e&&this.#f(e),W))}#k(){let e=this.#e&&T(this,this.#e);e&&(this.#d.disabled=this.#r.disabled=!0,e.catch(t=>{this.#d.disabled=this.#r.disabled=!1,reportError(t)}))}get#C(){return Math.max(0,Math.min(this.#l,Math.ceil((this.#n-Date.now())/1e3)))}#y=()=>{if(clearTimeout(this.#c),!this.#n)return;this.#w();let e=this.#C;q.some(t=>e<=t&&t<this.#i)&&(this.#i=e,this.#g.textContent=this.#o.textContent,this.#g.lang=this.#o.lang),e&&(this.#c=setTimeout(this.#y,(this.#n-Date.now())%1e3||1e3))};#w(){let e=l=>this.getAttribute(l);h(this.#p,e("heading"),X),h(this.#d,e("stay"),"Stay signed in"),h(this.#r,e("sign-out"),"Sign out now");let t=this.#C;if(!t)return h(this.#o,e("ending"),J);let n=e("message"),s=n===null?"en":p(this),[o="",...a]=(n??V).split("{time}");this.#h.textContent=new Intl.NumberFormat(s,{style:"unit",unit:"second",unitDisplay:"long"}).format(t),this.#o.replaceChildren(o,...a.length?[this.#h,a.join("{time}")]:[]),w(this.#o,n===null)}};function z(){v(K,C)}var g=class extends Error{constructor(t){super(t);this.trouble=t}trouble};async function k({options:i},e,t,n){let{fetch:s=globalThis.fetch,hub:o,getToken:a}=i,l=`${new URL(o).href.replace(/\/+$/,"")}/api/v1/me/sessions${t}`;for(let u of["connect","rejected"]){let d=await a({reason:u,signal:n});if(!d)break;let m={Authorization:`Bearer ${d}`},c=await s(l,{method:e,signal:n,credentials:"omit",headers:m}),M=await c.json();if(c.ok)return M;let I=Q(c.status,M);if(I!=="expired")throw new g(I)}throw new g("nobody")}function Q(i,{error:e,code:t}){return e==="insufficient_user_authentication"?"not-fresh":t==="token_expired"?"expired":t==="logged_out"?"nobody":i===404?"gone":"failed"}function H(i){let e=new Set(i.map(({device:n,address:s})=>JSON.stringify([n,s]))),t=new Set(i.flatMap(n=>n.apps.map(({client_id:s})=>s)));return{sessions:i.length,devices:e.size,apps:t.size}}var R=`
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
[part='details'] {
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
${S}`;var L={heading:"Active sessions",loading:"Loading your sessions …",current:"Current","active-now":"Active now","last-active":"Active {time}","signed-in":"Signed in on {time}","sign-out":"Sign out",everywhere:"Sign out everywhere else",alone:"You are signed in nowhere else.",confirm:"Sign out everywhere else?",reach:"This ends {sessions} on {devices}, in {apps}.",cancel:"Cancel","signed-out":"{device} is signed out.","all-signed-out":"You are signed out everywhere else.","not-fresh":"To end other sessions, sign in again first: it has been a while.","sign-in":"Sign in again",nobody:"You are not signed in.","not-loaded":"Your sessions could not be loaded.","not-ended":"That did not work. Nothing may have been signed out.",incomplete:"There may be more: the sign-in service did not answer.",retry:"Try again"};function G(i,e){return i.replace(/\{(\w+)\}/g,(t,n)=>Object.hasOwn(e,n)?e[n]:t)}function E(i,e,t){return t?`${i} ${e}${i===1?"":"s"}`:String(i)}var Z=[["day",86400],["hour",3600],["minute",60]],ee=30*86400;function D(i,e,t){let n=Math.max(0,Math.round((e-i.getTime())/1e3));if(n>=ee)return N(i,t);let[s,o]=Z.filter(([,a])=>n>=a)[0]??["minute",60];return new Intl.RelativeTimeFormat(t,{numeric:"auto"}).format(-Math.max(1,Math.floor(n/o)),s)}function N(i,e){return i.toLocaleDateString(e,{dateStyle:"medium"})}var te="slo-sessions",A=class extends f{static observedAttributes=Object.keys(L);#e=null;#s=[];#n=new AbortController;#l=new AbortController;#i=null;#u=null;#c=!1;#t=r("section","panel");#p=r("h2","heading");#o=r("p","status");#h=r("div","notice");#g=r("ul","list");#d=r("div","others");#r=r("dialog","dialog");constructor(){super(),this.#p.tabIndex=-1,this.#p.id="heading",this.#t.setAttribute("aria-labelledby","heading"),this.#o.role=this.#h.role="status",this.#g.role="list",this.#r.setAttribute("aria-labelledby","question"),this.#t.append(this.#p,this.#o,this.#h,this.#g,this.#d,this.#r),b(this,R,this.#t)}get client(){return this.#e}set client(e){e!==this.#e&&(this.#x(),this.#e=e??null,this.isConnected&&this.#v())}connectedCallback(){this.#b(),y(this,"client")||this.#v()}disconnectedCallback(){this.#x()}attributeChangedCallback(){this.#b()}async refresh(){let e=this.#e;if(!e)return;this.#l.abort();let{signal:t}=this.#l=new AbortController;this.#i||this.#a(null,{text:"loading"});let n=s=>({text:s,button:"retry",act:()=>{this.refresh()}});try{let{sessions:s,complete:o}=await k(e,"GET","",t);if(t.aborted)return;if(!Array.isArray(s))throw new g("failed");this.#a(s,o===!1?n("incomplete"):null)}catch(s){if(t.aborted)return;Y(s)==="nobody"?this.#a(null,{text:"nobody"}):this.#a(this.#i,n("not-loaded"))}}#v(){let e=this.#e;if(!e||this.#s.length)return;let{signal:t}=this.#n=new AbortController;if(this.#s.push(e.on("state",({state:n})=>{n==="connected"?this.refresh():(n==="idle"||n==="signed-out")&&this.#T({text:"nobody"})})),e.state==="connected")return void this.refresh();this.#a(null,{text:"loading"}),e.ready.then(n=>{!t.aborted&&n!=="connected"&&this.refresh()})}#x(){for(let e of this.#s)e();this.#s=[],this.#n.abort(),this.#T(null)}#T(e){this.#l.abort(),this.#o.textContent="",this.#r.close(),this.#a(null,e)}async#f(e,t,n=""){let{signal:s}=this.#n;if(!this.#e||this.#c)return;let o=()=>{this.#f(e,t,n)};this.#c=!0,this.#t.ariaBusy="true",this.#o.textContent="";let a;try{await k(this.#e,"DELETE",e,s)}catch(l){a=Y(l)}if(this.#c=!1,this.#t.ariaBusy=null,!s.aborted){if(a==="not-fresh")return this.#a(this.#i,{text:"not-fresh",button:"sign-in",act:()=>{this.#E(o)}});if(a==="failed")return this.#a(this.#i,{text:"not-ended",button:"retry",act:o});await this.refresh(),a!=="nobody"&&!s.aborted&&this.#m(this.#o,t,()=>({device:n}))}}async#E(e){let{signal:t}=this.#n,n=[],s={maxAge:0,waitUntil:o=>{n.push(o)}};this.dispatchEvent(new CustomEvent("slo-fresh-sign-in",{bubbles:!0,composed:!0,detail:s}));try{await Promise.all(n),n.length&&!t.aborted&&e()}catch(o){reportError(o)}}#a(e,t){this.#i=e,this.#u=t,this.#b()}#b(){let e=this.shadowRoot.activeElement?.dataset.key;if(this.#m(this.#p,"heading"),this.#k(),this.#g.replaceChildren(...(this.#i??[]).map(n=>this.#C(n))),this.#L(),e===void 0)return;([...this.#t.querySelectorAll("[data-key]")].filter(({dataset:n})=>n.key===e)[0]??this.#p).focus()}#k(){let e=this.#u;if(this.#h.hidden=!e,this.#h.replaceChildren(),!e)return;let t=document.createElement("p");this.#m(t,e.text),this.#h.append(t),e.button&&this.#h.append(this.#S("action",e.button,()=>e.act?.(),"action"))}#C(e){let{id:t,current:n,device:s}=e,o=r("li",n?"session current":"session"),a=r("div","about"),l=r("div","device");if(l.textContent=s,a.append(l,this.#y(e)),n){let c=r("span","badge");this.#m(c,"current"),l.append(" ",c)}let u=()=>{n?this.#e&&T(this,this.#e)?.catch(c=>reportError(c)):this.#f(`/${encodeURIComponent(t)}`,"signed-out",s)},d=this.#S("sign-out","sign-out",u,t),m=document.createElement("span");return m.className="unseen",m.textContent=` ${s}`,d.append(m),o.append(a,d),o}#y({active:e,started_at:t,last_seen_at:n,address:s,apps:o}){let a=r("p","details"),l=Date.now();a.append(this.#w(e?"active-now":"last-active",n,(u,d)=>D(u,l,d)),this.#w("signed-in",t,N));for(let u of[s,o.map(d=>d.name).join(", ")]){if(!u)continue;let d=document.createElement("span");d.textContent=u,a.append(d)}return a}#w(e,t,n){let s=document.createElement("time"),o=new Date(t),a=!isNaN(o.getTime());return a&&(s.dateTime=o.toISOString(),s.title=o.toLocaleString(p(this),{dateStyle:"long",timeStyle:"short"})),this.#m(s,e,l=>({time:a?n(o,l):""})),s}#L(){let e=this.#i?.filter(({current:n})=>!n);if(this.#d.replaceChildren(),!e)return;if(e.length)return this.#d.append(this.#S("everywhere","everywhere",()=>this.#N(e),"everywhere"));let t=document.createElement("p");this.#m(t,"alone"),this.#d.append(t)}#N(e){let t=r("h3","question");t.id="question",this.#m(t,"confirm");let n=r("p","reach"),{sessions:s,devices:o,apps:a}=H(e);this.#m(n,"reach",(m,c)=>({sessions:E(s,"session",c),devices:E(o,"device",c),apps:E(a,"app",c)}));let l=r("div","actions"),u=()=>{this.#r.close(),this.#f("?except=current","all-signed-out")},d=this.#S("cancel","cancel",()=>this.#r.close());d.autofocus=!0,l.append(this.#S("confirm","everywhere",u),d),this.#r.replaceChildren(t,n,l),this.#r.showModal(),d.focus()}#S(e,t,n,s){let o=x(e,n);return s!==void 0&&(o.dataset.key=s),this.#m(o,t),o}#m(e,t,n=()=>({})){let s=this.getAttribute(t),o=s===null;e.textContent=G(s??L[t],n(o?"en":p(this),o)),w(e,o)}};function Y(i){return i instanceof g?i.trouble:"failed"}function j(){v(te,A)}var P=`
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
`;var ne="slo-signed-out",ie=100,$=new Map([["app","You signed out in another app."],["redirect","You signed out in another app."],["backchannel","Your session was ended at the sign-in service."],["session_api","You signed out from another device."],["admin","You were signed out by an administrator."],["idle","You were signed out after a time without activity."],["absolute","Your session had reached its longest time."],["signal","Your session was ended to protect your account."]]),se="Your session has ended.",O=class extends f{static observedAttributes=["heading","message",...[...$.keys()].map(B)];#e=null;#s;#n=r("h1","heading");#l=r("p","message");#i=r("time","time");constructor(){super();let e=r("div","notice"),t=document.createElement("div");t.role="status",t.append(this.#l),this.#n.tabIndex=-1;let n=r("div","actions");n.append(document.createElement("slot")),e.append(this.#n,t,this.#i,n),b(this,P,e)}get event(){return this.#e}set event(e){e!==this.#e&&(this.#e=e??null,this.#u(),this.isConnected&&this.#c())}connectedCallback(){y(this,"event")||this.#c()}disconnectedCallback(){clearTimeout(this.#s),this.#l.textContent=""}attributeChangedCallback(){this.#u(),this.#l.textContent&&this.#t()}#u(){let e=this.#e;this.toggleAttribute("open",!!e),h(this.#n,this.getAttribute("heading"),"You are signed out");let t=new Date(e?.occurredAt??NaN);this.#i.hidden=isNaN(t.getTime()),!this.#i.hidden&&(this.#i.dateTime=t.toISOString(),this.#i.textContent=t.toLocaleString(p(this),{dateStyle:"medium",timeStyle:"short"}))}#c(){clearTimeout(this.#s),this.#l.textContent="",this.#e&&(this.#n.focus(),this.#s=setTimeout(()=>this.#t(),ie))}#t(){let{reason:e,source:t}=this.#e,n=this.getAttribute(B(t))??this.getAttribute("message");h(this.#l,e||n,$.get(t)??se)}};function B(i){return`message-${i.replaceAll("_","-")}`}function U(){v(ne,O)}function F(){U(),z(),j()}F();})();
