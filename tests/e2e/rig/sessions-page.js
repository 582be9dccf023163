/** What the browsers of the stories about sessions call themselves. */
export const LAPTOP =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
export const PHONE =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';
export const TABLET =
  'Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1';

/** The hub's "Active sessions", in the words of the person who looks at it. */
export class SessionsPage {
  constructor({ page, hub, person }) {
    Object.assign(this, { page, hub, person });
  }

  /** Opens the list in a new tab; signs in at the tenant if it asks. */
  static async open(person, hub) {
    const own = new SessionsPage({ page: await person.context.newPage(), hub, person: person.name });
    await own.goTo();
    return own;
  }

  async goTo() {
    await this.page.goto(`${this.hub}/sessions`);
    const choice = this.page.getByRole('button', { name: this.person });
    const list = this.page.getByRole('heading', { name: 'Active sessions' });
    await choice.or(list).first().waitFor();
    if (!(await list.isVisible())) await choice.click();
    await list.waitFor();
  }

  /** One session, by what its device is called. */
  row(device) {
    return this.page.locator('[data-session]').filter({ has: this.page.getByRole('heading', { name: device }) });
  }

  /** What the devices are called, in the order of the list. */
  async devices() {
    return this.page.locator('[data-session] h2').allInnerTexts();
  }

  async signOut(device) {
    await this.page.getByRole('button', { name: `Sign out ${device}` }).first().click();
  }

  async everywhereElse() {
    await this.page.getByRole('link', { name: 'Sign out everywhere else' }).click();
    await this.page.getByRole('heading', { name: 'Sign out everywhere else?' }).waitFor();
  }

  /** The page that shows what becomes of it says so. */
  async says(summary) {
    const wanted = this.page.locator('.summary').filter({ hasText: summary }).first();
    await wanted.waitFor({ timeout: 20_000 }).catch(async (cause) => {
      throw new Error(`never "${summary}":\n${await this.page.locator('main').innerText()}`, { cause });
    });
  }
}
