import { ADMIN_TOKEN } from './hub.js';

/** The operator's console in a browser of its own. */
export class ConsolePage {
  constructor(page, address) {
    this.page = page;
    this.address = address;
  }

  static async open(world) {
    const context = await world.browser.newContext();
    return new ConsolePage(await context.newPage(), world.urls.console);
  }

  async signIn(token = ADMIN_TOKEN) {
    await this.page.goto(this.address);
    await this.page.getByLabel('Administrators’ token').fill(token);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
  }

  async goTo(place) {
    await this.page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name: place, exact: true }).click();
    await this.page.getByRole('heading', { level: 1 }).waitFor();
  }

  /** Asks what would end of a person; the page that shows it is open then. */
  async countsWhatWouldEnd({ sub, issuer, reason }) {
    await this.goTo('End sessions');
    await this.page.getByLabel('Issuer', { exact: true }).selectOption(issuer);
    await this.page.getByLabel('sub or sid').fill(sub);
    await this.page.getByLabel(/^Reason/).fill(reason);
    await this.page.getByRole('button', { name: 'Count what would end' }).click();
  }

  async confirms(number) {
    await this.page.getByLabel(/^Type the number/).fill(String(number));
    await this.page.getByRole('button', { name: /^End / }).click();
  }

  close() {
    return this.page.context().close();
  }
}
