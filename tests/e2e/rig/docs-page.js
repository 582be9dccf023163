import { AppPage } from './app-page.js';

/** One tab with an app of the SDK's docs. */
export class DocsPage extends AppPage {
  content = 'main';
  #stateOf;

  constructor({ framework, ...page }) {
    super(page);
    this.#stateOf = STATES[framework];
  }

  async watch() {
    await super.watch();
    // Frameworks complain on the console of what they are used wrongly for.
    this.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.faults.push(new Error(message.text()));
    });
    await this.page.addInitScript(listenToReact);
  }

  /** Waits for the notice in place of the app, and for the reason in it. */
  async showsSignedOut(why) {
    await this.page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await this.page.getByRole('status').filter({ hasText: why }).waitFor();
  }

  /** Waits for what the app shows where nobody is signed in, and nobody has been signed out. */
  async showsNobody() {
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await this.page.locator('slo-signed-out').waitFor({ state: 'detached' });
  }

  /** All that can be read on the page. */
  text() {
    return this.page.locator('body').innerText();
  }

  /** What the framework's own components know from Auth0's SDK right now. The first call must come before what is to be noticed. */
  auth0State() {
    return this.page.evaluate(this.#stateOf);
  }

  /** Whether the focus is on the heading of the notice. */
  focusIsOnNotice() {
    return this.page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.matches('h1') ?? false);
  }

  /** When this document was loaded: another value is another page load. */
  loadedAt() {
    return this.page.evaluate(() => performance.timeOrigin);
  }

  /** Whether React has run something twice in this page, as it does under StrictMode only. */
  ranTwice() {
    return this.page.evaluate(() => globalThis.react.ranTwice);
  }
}

/** Runs in the page before React: stands where React's developer tools would be. */
function listenToReact() {
  const react = { root: undefined, ranTwice: false };
  globalThis.react = react;
  globalThis.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    supportsFiber: true,
    inject: () => 1,
    setStrictMode: (_renderer, isSecondTime) => (react.ranTwice ||= isSecondTime),
    onCommitFiberRoot: (_renderer, root) => (react.root = root),
    onCommitFiberUnmount: () => {},
    checkDCE: () => {},
  };
}

/** How to look into an app, by the way each framework has for its developer tools. They run in the page. */
const STATES = {
  /** What was last rendered, from the context that auth0-react provides. */
  react() {
    const find = (fiber) => {
      if (!fiber) return undefined;
      const value = fiber.memoizedProps?.value;
      return typeof value?.isAuthenticated === 'boolean' ? value : (find(fiber.child) ?? find(fiber.sibling));
    };
    const { isAuthenticated, user } = find(globalThis.react.root.current);
    return { isAuthenticated, name: user?.name };
  },

  /** The refs of auth0-vue's plugin. */
  vue() {
    const { isAuthenticated, user } = document.querySelector('#app').__vue_app__.config.globalProperties.$auth0;
    return { isAuthenticated: isAuthenticated.value, name: user.value?.name };
  },

  /** What AuthService has last told those who subscribed before. */
  async angular() {
    if (globalThis.told === undefined) {
      globalThis.told = {};
      const { auth0 } = globalThis.ng.getComponent(document.querySelector('app-root'));
      const keep = (source, keeps) => new Promise((resolve) => source.subscribe((value) => resolve(keeps(value))));
      await Promise.all([
        keep(auth0.isAuthenticated$, (isAuthenticated) => (globalThis.told.isAuthenticated = isAuthenticated)),
        keep(auth0.user$, (user) => (globalThis.told.name = user?.name)),
      ]);
    }
    return { ...globalThis.told };
  },
};
