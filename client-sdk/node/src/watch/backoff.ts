/** How long a connection must have lived, in ms, before its loss counts as the first again. */
export const MIN_UPTIME_MS = 5_000;

/** Waits that grow: each drawn evenly from 0 to a bound that doubles, so that many back ends do not return as one. */
export class Backoff {
  readonly #min: number;
  readonly #max: number;
  #attempt = 0;

  constructor({ min = 500, max = 30_000 }: { readonly min?: number; readonly max?: number } = {}) {
    this.#min = min;
    this.#max = max;
  }

  reset(): void {
    this.#attempt = 0;
  }

  /** Fulfilled after the next wait, or at once when the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const bound = Math.min(this.#max, this.#min * 2 ** this.#attempt++);
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const over = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', over);
        resolve();
      };
      const timer = setTimeout(over, Math.random() * bound);
      signal.addEventListener('abort', over);
    });
  }
}
