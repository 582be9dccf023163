/*! slo-hub browser SDK | MIT OR Apache-2.0 */
"use strict";(()=>{var b=globalThis.HTMLElement??class{};function y(i,e,...t){let n=i.attachShadow({mode:"open"}),s=new CSSStyleSheet;s.replaceSync(e),n.adoptedStyleSheets=[s],n.append(...t)}function r(i,e){let t=document.createElement(i);return t.setAttribute("part",e),t}function w(i,e){let t=r("button",i);return t.type="button",t.addEventListener("click",e),t}function p(i,e,t){i.textContent=e??t,S(i,e===null)}function S(i,e){e?i.lang="en":i.removeAttribute("lang")}function m(i){return i.closest("[lang]")?.lang||void 0}function v(i,e){if(!Object.hasOwn(i,e))return!1;let t=i[e];return Reflect.deleteProperty(i,e),i[e]=t,!0}function x(i,e){let{customElements:t}=globalThis;t&&!t.get(i)&&t.define(i,e)}var E=`
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
${E}`;function k(i,e){return i.dispatchEvent(new Event("slo-sign-out",{bubbles:!0,composed:!0,cancelable:!0}))?e.logout?.()??e.signOut():void 0}var K="slo-idle-warning",q=[60,30,10,0],W=5e3,V="Are you still there?",X="You have not done anything for a while. You will be signed out in {time}.",J="You are being signed out.",C=class extends b{static observedAttributes=["heading","message","ending","stay","sign-out"];#e=null;#s=[];#t=0;#a=0;#n=0;#u=!1;#p;#i=r("dialog","dialog");#g=r("h2","heading");#o=r("p","message");#m=r("span","time");#l=document.createElement("div");#d=w("stay",()=>this.#h());#c=w("sign-out",()=>this.#S());constructor(){super(),this.#i.role="alertdialog";for(let[t,n]of[["labelledby",this.#g],["describedby",this.#o]])n.id=t,this.#i.setAttribute(`aria-${t}`,t);this.#m.role="timer",this.#l.role="status",this.#d.autofocus=!0;let e=r("div","actions");e.append(this.#d,this.#c),this.#i.append(this.#g,this.#o,document.createElement("slot"),e,this.#l),this.#i.addEventListener("close",()=>this.#t&&!this.#i.open&&this.#h()),y(this,_,this.#i)}get client(){return this.#e}set client(e){e!==this.#e&&(this.#x(),this.#e=e??null,this.isConnected&&this.#r())}connectedCallback(){v(this,"client")||this.#r()}disconnectedCallback(){this.#x()}attributeChangedCallback(){this.#t&&this.#L()}#r(){let e=this.#e;!e||this.#s.length||(this.#s=[e.on("idle-warning",({secondsLeft:t,ask:n})=>{n(),this.#k(t)}),e.on("idle-cancelled",()=>this.#y()),e.on("state",({state:t})=>{if(t==="connecting"||t==="waiting")return;let n=this.#u;this.#y(),t==="connected"&&n&&e.stay()})],document.addEventListener("visibilitychange",this.#v),this.#s.push(()=>document.removeEventListener("visibilitychange",this.#v)))}#x(){for(let e of this.#s)e();this.#s=[],this.#y()}#k(e){this.#y(),this.#a=this.#n=e,this.#w(Date.now()+e*1e3)}#w(e){this.#t=e,this.#d.disabled=this.#c.disabled=!1,this.#l.textContent="",this.#v(),this.toggleAttribute("open",!0),this.#i.showModal(),this.#d.focus()}#b(){clearTimeout(this.#p),this.#t=0,this.toggleAttribute("open",!1),this.#i.open&&this.#i.close()}#y(){this.#u=!1,this.#b()}#h(){let e=this.#t;this.#b(),this.#u=this.#e?.state!=="connected",this.#e?.stay(),this.#u||(this.#p=setTimeout(()=>Date.now()<e&&this.#w(e),W))}#S(){let e=this.#e&&k(this,this.#e);e&&(this.#d.disabled=this.#c.disabled=!0,e.catch(t=>{this.#d.disabled=this.#c.disabled=!1,reportError(t)}))}get#C(){return Math.max(0,Math.min(this.#a,Math.ceil((this.#t-Date.now())/1e3)))}#v=()=>{if(clearTimeout(this.#p),!this.#t)return;this.#L();let e=this.#C;q.some(t=>e<=t&&t<this.#n)&&(this.#n=e,this.#l.textContent=this.#o.textContent,this.#l.lang=this.#o.lang),e&&(this.#p=setTimeout(this.#v,(this.#t-Date.now())%1e3||1e3))};#L(){let e=l=>this.getAttribute(l);p(this.#g,e("heading"),V),p(this.#d,e("stay"),"Stay signed in"),p(this.#c,e("sign-out"),"Sign out now");let t=this.#C;if(!t)return p(this.#o,e("ending"),J);let n=e("message"),s=n===null?"en":m(this),[o="",...a]=(n??X).split("{time}");this.#m.textContent=new Intl.NumberFormat(s,{style:"unit",unit:"second",unitDisplay:"long"}).format(t),this.#o.replaceChildren(o,...a.length?[this.#m,a.join("{time}")]:[]),S(this.#o,n===null)}};function R(){x(K,C)}var f=class extends Error{constructor(t){super(t);this.trouble=t}trouble};async function L({options:i},e,t,n){let{fetch:s=globalThis.fetch,hub:o,getToken:a}=i,l=`${new URL(o).href.replace(/\/+$/,"")}/api/v1/me/sessions${t}`;for(let h of["connect","rejected"]){let u=await a({reason:h,signal:n});if(!u)break;let d={Authorization:`Bearer ${u}`},c=await s(l,{method:e,signal:n,credentials:"omit",headers:d}),g=await c.json();if(c.ok)return g;let I=Q(c.status,g);if(I!=="expired")throw new f(I)}throw new f("nobody")}function Q(i,{error:e,code:t}){return e==="insufficient_user_authentication"?"not-fresh":t==="token_expired"?"expired":t==="logged_out"?"nobody":i===404?"gone":"failed"}function z(i,e){if(Z(e))return e;let t=new Set(i.map(({device:s,address:o})=>JSON.stringify([s,o]))),n=new Set(i.flatMap(s=>s.apps.map(({client_id:o})=>o)));return{sessions:i.length,devices:t.size,apps:n.size,lapsed:0}}function Z(i){let e=i;return[e?.sessions,e?.devices,e?.apps,e?.lapsed].every(Number.isSafeInteger)}var H=`
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
${E}`;var N={heading:"Active sessions",loading:"Loading your sessions …",current:"Current","active-now":"Active now","last-active":"Active {time}","signed-in":"Signed in on {time}","sign-out":"Sign out",everywhere:"Sign out everywhere else","ended-at-issuer":"It has ended at the sign-in service; apps there may still be signed in.",alone:"You are signed in nowhere else.","alone-maybe":"You are signed in nowhere else, as far as we know.",confirm:"Sign out everywhere else?",reach:"This ends {sessions} on {devices}, in {apps}.",lapsed:"Ended to be certain: {sessions} from before, probably over by now.",more:"Those used last are listed. There are {sessions} more.",cancel:"Cancel","signed-out":"{device} is signed out.","all-signed-out":"You are signed out everywhere else.","not-fresh":"To end other sessions, sign in again first: it has been a while.","sign-in":"Sign in again",nobody:"You are not signed in.","not-loaded":"Your sessions could not be loaded.","not-ended":"That did not work. Nothing may have been signed out.",incomplete:"There may be more: the sign-in service did not answer.",retry:"Try again"};function G(i,e){return i.replace(/\{(\w+)\}/g,(t,n)=>Object.hasOwn(e,n)?e[n]:t)}function T(i,e,t){return t?`${i} ${e}${i===1?"":"s"}`:String(i)}var ee=[["day",86400],["hour",3600],["minute",60]],te=30*86400;function D(i,e,t){let n=Math.max(0,Math.round((e-i.getTime())/1e3));if(n>=te)return A(i,t);let[s,o]=ee.filter(([,a])=>n>=a)[0]??["minute",60];return new Intl.RelativeTimeFormat(t,{numeric:"auto"}).format(-Math.max(1,Math.floor(n/o)),s)}function A(i,e){return i.toLocaleDateString(e,{dateStyle:"medium"})}var ne="slo-sessions",O=class extends b{static observedAttributes=Object.keys(N);#e=null;#s=[];#t=new AbortController;#a=new AbortController;#n=null;#u;#p=null;#i=!1;#g=r("section","panel");#o=r("h2","heading");#m=r("p","status");#l=r("div","notice");#d=r("ul","list");#c=r("div","others");#r=r("dialog","dialog");constructor(){super(),this.#o.tabIndex=-1,this.#o.id="heading",this.#g.setAttribute("aria-labelledby","heading"),this.#m.role=this.#l.role="status",this.#d.role="list",this.#r.setAttribute("aria-labelledby","question"),this.#g.append(this.#o,this.#m,this.#l,this.#d,this.#c,this.#r),y(this,H,this.#g)}get client(){return this.#e}set client(e){e!==this.#e&&(this.#k(),this.#e=e??null,this.isConnected&&this.#x())}connectedCallback(){this.#S(),v(this,"client")||this.#x()}disconnectedCallback(){this.#k()}attributeChangedCallback(){this.#S()}async refresh(){let e=this.#e;if(!e)return;this.#a.abort();let{signal:t}=this.#a=new AbortController;this.#n||this.#h(null,{text:"loading"});let n=s=>({text:s,button:"retry",act:()=>{this.refresh()}});try{let{sessions:s,others:o,complete:a}=await L(e,"GET","",t);if(t.aborted)return;if(!Array.isArray(s))throw new f("failed");this.#u=o,this.#h(s,a===!1?n("incomplete"):null)}catch(s){if(t.aborted)return;Y(s)==="nobody"?this.#h(null,{text:"nobody"}):this.#h(this.#n,n("not-loaded"))}}#x(){let e=this.#e;if(!e||this.#s.length)return;let{signal:t}=this.#t=new AbortController;if(this.#s.push(e.on("state",({state:n})=>{n==="connected"?this.refresh():(n==="idle"||n==="signed-out")&&this.#w({text:"nobody"})})),e.state==="connected")return void this.refresh();this.#h(null,{text:"loading"}),e.ready.then(n=>{!t.aborted&&n!=="connected"&&this.refresh()})}#k(){for(let e of this.#s)e();this.#s=[],this.#t.abort(),this.#w(null)}#w(e){this.#a.abort(),this.#m.textContent="",this.#r.close(),this.#h(null,e)}async#b(e,t,n=""){let{signal:s}=this.#t;if(!this.#e||this.#i)return;let o=()=>{this.#b(e,t,n)};this.#i=!0,this.#g.ariaBusy="true",this.#m.textContent="";let a;try{await L(this.#e,"DELETE",e,s)}catch(l){a=Y(l)}if(this.#i=!1,this.#g.ariaBusy=null,!s.aborted){if(a==="not-fresh")return this.#h(this.#n,{text:"not-fresh",button:"sign-in",act:()=>{this.#y(o)}});if(a==="failed")return this.#h(this.#n,{text:"not-ended",button:"retry",act:o});await this.refresh(),a!=="nobody"&&!s.aborted&&this.#f(this.#m,t,()=>({device:n}))}}async#y(e){let{signal:t}=this.#t,n=[],s={maxAge:0,waitUntil:o=>{n.push(o)}};this.dispatchEvent(new CustomEvent("slo-fresh-sign-in",{bubbles:!0,composed:!0,detail:s}));try{await Promise.all(n),n.length&&!t.aborted&&e()}catch(o){reportError(o)}}#h(e,t){this.#n=e,this.#p=t,this.#S()}#S(){let e=this.shadowRoot.activeElement?.dataset.key;if(this.#f(this.#o,"heading"),this.#C(),this.#d.replaceChildren(...(this.#n??[]).map(n=>this.#v(n))),this.#A(),e===void 0)return;([...this.#g.querySelectorAll("[data-key]")].filter(({dataset:n})=>n.key===e)[0]??this.#o).focus()}#C(){let e=this.#p;if(this.#l.hidden=!e,this.#l.replaceChildren(),!e)return;let t=document.createElement("p");this.#f(t,e.text),this.#l.append(t),e.button&&this.#l.append(this.#T("action",e.button,()=>e.act?.(),"action"))}#v(e){let{id:t,current:n,device:s,ended_at_issuer:o}=e,a=r("li",n?"session current":"session"),l=r("div","about"),h=r("div","device");if(h.textContent=s,l.append(h,this.#L(e)),o&&this.#E(l,"ended-at-issuer","ended-at-issuer"),n){let g=r("span","badge");this.#f(g,"current"),h.append(" ",g)}let u=()=>{n?this.#e&&k(this,this.#e)?.catch(g=>reportError(g)):this.#b(`/${encodeURIComponent(t)}`,"signed-out",s)},d=this.#T("sign-out","sign-out",u,t),c=document.createElement("span");return c.className="unseen",c.textContent=` ${s}`,d.append(c),a.append(l,d),a}#L({active:e,started_at:t,last_seen_at:n,address:s,asn:o,apps:a}){let l=r("p","details"),h=Date.now();l.append(this.#N(e?"active-now":"last-active",n,(d,c)=>D(d,h,c)),this.#N("signed-in",t,A));let u=s&&o?`${s}, AS${o}`:s;for(let d of[u,a.map(c=>c.name).join(", ")]){if(!d)continue;let c=document.createElement("span");c.textContent=d,l.append(c)}return l}#N(e,t,n){let s=document.createElement("time"),o=new Date(t),a=!isNaN(o.getTime());return a&&(s.dateTime=o.toISOString(),s.title=o.toLocaleString(m(this),{dateStyle:"long",timeStyle:"short"})),this.#f(s,e,l=>({time:a?n(o,l):""})),s}#A(){let e=this.#n?.filter(({current:s})=>!s);if(this.#c.replaceChildren(),!e)return;let t=z(e,this.#u),n=t.sessions-e.length;e.length||this.#E(this.#c,"alone",t.lapsed?"alone-maybe":"alone"),n>0&&this.#E(this.#c,"more","more",()=>({sessions:String(n)})),t.sessions+t.lapsed!==0&&this.#c.append(this.#T("everywhere","everywhere",()=>this.#O(t),"everywhere"))}#O({sessions:e,devices:t,apps:n,lapsed:s}){let o=r("h3","question");o.id="question",this.#f(o,"confirm"),this.#r.replaceChildren(o),e&&this.#E(this.#r,"reach","reach",(u,d)=>({sessions:T(e,"session",d),devices:T(t,"device",d),apps:T(n,"app",d)})),s&&this.#E(this.#r,"lapsed","lapsed",(u,d)=>({sessions:T(s,"session",d)}));let a=r("div","actions"),l=()=>{this.#r.close(),this.#b("?except=current","all-signed-out")},h=this.#T("cancel","cancel",()=>this.#r.close());h.autofocus=!0,a.append(this.#T("confirm","everywhere",l),h),this.#r.append(a),this.#r.showModal(),h.focus()}#T(e,t,n,s){let o=w(e,n);return s!==void 0&&(o.dataset.key=s),this.#f(o,t),o}#E(e,t,n,s){let o=r("p",t);this.#f(o,n,s),e.append(o)}#f(e,t,n=()=>({})){let s=this.getAttribute(t),o=s===null;e.textContent=G(s??N[t],n(o?"en":m(this),o)),S(e,o)}};function Y(i){return i instanceof f?i.trouble:"failed"}function P(){x(ne,O)}var j=`
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
`;var ie="slo-signed-out",se=100,$=new Map([["app","You signed out in another app."],["redirect","You signed out in another app."],["backchannel","Your session was ended at the sign-in service."],["session_api","You signed out from another device."],["admin","You were signed out by an administrator."],["idle","You were signed out after a time without activity."],["absolute","Your session had reached its longest time."],["signal","Your session was ended to protect your account."]]),oe="Your session has ended.",M=class extends b{static observedAttributes=["heading","message",...[...$.keys()].map(B)];#e=null;#s;#t=r("h1","heading");#a=r("p","message");#n=r("time","time");constructor(){super();let e=r("div","notice"),t=document.createElement("div");t.role="status",t.append(this.#a),this.#t.tabIndex=-1;let n=r("div","actions");n.append(document.createElement("slot")),e.append(this.#t,t,this.#n,n),y(this,j,e)}get event(){return this.#e}set event(e){e!==this.#e&&(this.#e=e??null,this.#u(),this.isConnected&&this.#p())}connectedCallback(){v(this,"event")||this.#p()}disconnectedCallback(){clearTimeout(this.#s),this.#a.textContent=""}attributeChangedCallback(){this.#u(),this.#a.textContent&&this.#i()}#u(){let e=this.#e;this.toggleAttribute("open",!!e),p(this.#t,this.getAttribute("heading"),"You are signed out");let t=new Date(e?.occurredAt??NaN);this.#n.hidden=isNaN(t.getTime()),!this.#n.hidden&&(this.#n.dateTime=t.toISOString(),this.#n.textContent=t.toLocaleString(m(this),{dateStyle:"medium",timeStyle:"short"}))}#p(){clearTimeout(this.#s),this.#a.textContent="",this.#e&&(this.#t.focus(),this.#s=setTimeout(()=>this.#i(),se))}#i(){let{reason:e,source:t}=this.#e,n=this.getAttribute(B(t))??this.getAttribute("message");p(this.#a,e||n,$.get(t)??oe)}};function B(i){return`message-${i.replaceAll("_","-")}`}function U(){x(ie,M)}function F(){U(),R(),P()}F();})();
