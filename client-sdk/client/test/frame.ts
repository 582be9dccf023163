import { vi } from 'vitest';

export const NOTES = 'https://notes.example';

interface Nature {
  /** Origin of the page above. */
  readonly above: string;
  /** What the frame's localStorage holds; undefined where the browser refuses it. */
  readonly stored: Map<string, string> | undefined;
  /** Whether the browser takes a SameSite cookie here. */
  readonly isSameSite: boolean;
  /** What `hasStorageAccess()` says. */
  readonly hasThirdPartyCookies: boolean;
  readonly search: string;
}

/** A browser's cookie jar, as far as one name and SameSite matter. */
class FakeDocument {
  readonly written: string[] = [];
  #jar = '';

  constructor(private readonly nature: Nature) {}

  get cookie(): string {
    return this.#jar;
  }

  set cookie(line: string) {
    this.written.push(line);
    if (!this.nature.isSameSite && line.includes('SameSite=Strict')) return;
    this.#jar = line.includes('Max-Age=0') ? '' : line.split(';')[0]!;
  }

  async hasStorageAccess(): Promise<boolean> {
    return this.nature.hasThirdPartyCookies;
  }
}

/** The page at an app's `frontchannel_logout_uri`, in a frame of another page, with what the browser lets it reach. */
export class FakeFrame extends EventTarget {
  readonly self = this;
  readonly location: { origin: string; search: string };
  readonly document: FakeDocument;
  readonly reportError = vi.fn();
  /** What the page above has been sent and would get: what is meant for another origin, the browser drops. */
  readonly posted: unknown[] = [];
  readonly parent: object;
  top: object;

  constructor(private readonly nature: Nature) {
    super();
    this.location = { origin: NOTES, search: nature.search };
    this.document = new FakeDocument(nature);
    const { above } = nature;
    this.parent = {
      get location() {
        if (above !== NOTES) throw new Error('SecurityError');
        return { origin: above };
      },
      postMessage: (message: unknown, to: string) => {
        if (to === above) this.posted.push(structuredClone(message));
      },
    };
    this.top = this.parent;
  }

  get localStorage() {
    const { stored } = this.nature;
    if (!stored) throw new Error('SecurityError');
    return {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
    };
  }

  /** A message arrives; from the page above, unless it is said from where. */
  hears(data: unknown, { source = this.parent, origin = this.nature.above }: { source?: object; origin?: string } = {}): void {
    this.dispatchEvent(Object.assign(new Event('message'), { source, origin, data }));
  }

  get asWindow(): Window {
    return this as unknown as Window;
  }
}

/** A tab of the app's own: its own parent and top page. */
export function ownTab(stored: Map<string, string> | undefined): Window {
  const storage = new FakeFrame({ ...{ above: NOTES, isSameSite: true, hasThirdPartyCookies: true, search: '' }, stored });
  return Object.defineProperties(storage, { parent: { value: storage }, top: { value: storage } }).asWindow;
}
