/** What an app must know of its surroundings. The server writes it into the page. */
export interface AppConfig {
  readonly hub: string;
  readonly issuer: string;
  readonly clientId: string;
  /** The other app of the company, for the link in the app bar. */
  readonly sibling?: { readonly name: string; readonly url: string };
}

export function readConfig(): AppConfig {
  const text = document.getElementById('config')?.textContent;
  if (!text) throw new Error('The page has no configuration: it must be served by demo-apps/serve.');
  return JSON.parse(text) as AppConfig;
}
