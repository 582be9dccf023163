import { Backoff } from './backoff.js';
import type { LogoutCursor, WatchErrorCode, WatchOptions } from './types.js';

export type Report = (code: WatchErrorCode, message: string, cause: unknown) => void;

/**
 * How far a back end is. Saves it beside the work, the latest only: a slow cursor holds no logout up. What is saved is
 * then acknowledged, and not before: what the hub was told is done is never asked for again.
 */
export class Place {
  /** The last logout that is done; undefined where there is none yet. */
  done: string | undefined;
  readonly #cursor: LogoutCursor | undefined;
  readonly #backoff: Backoff;
  readonly #report: Report;
  readonly #signal: AbortSignal;
  readonly #acknowledge: (ids: readonly string[]) => void;
  #unsaved: string[] = [];
  #saving: Promise<void> | undefined;

  constructor(options: WatchOptions, signal: AbortSignal, report: Report, acknowledge: (ids: readonly string[]) => void) {
    this.#cursor = options.cursor;
    this.#backoff = new Backoff(options.backoff);
    this.#signal = signal;
    this.#report = report;
    this.#acknowledge = acknowledge;
  }

  /** Finds out where to begin, however long that takes. */
  async load(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        this.done = (await this.#cursor?.load()) || undefined;
        return this.#backoff.reset();
      } catch (cause) {
        this.#report('cursor_failed', 'the cursor could not be loaded', cause);
        await this.#backoff.wait(this.#signal);
      }
    }
  }

  /** The logout is done; or none of this back end's, and passed over. */
  moveTo(id: string): void {
    this.done = id;
    this.#unsaved.push(id);
    this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
  }

  /** Fulfilled when all is saved that can be. */
  async settle(): Promise<void> {
    await this.#saving;
  }

  async #save(): Promise<void> {
    while (this.#unsaved.length > 0) {
      const ids = this.#unsaved;
      this.#unsaved = [];
      try {
        await this.#cursor?.save(ids.at(-1)!);
        this.#backoff.reset();
        this.#acknowledge(ids);
      } catch (cause) {
        this.#unsaved = [...ids, ...this.#unsaved];
        this.#report('cursor_failed', 'the cursor could not be saved', cause);
        if (this.#signal.aborted) return;
        await this.#backoff.wait(this.#signal);
      }
    }
  }
}
