import type { Page } from './page.js';

/** Listeners by event. */
export interface Emitter<Events> {
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): () => void;
  /** Whether anybody was there to hear it. */
  emit<K extends keyof Events>(type: K, event: Events[K]): boolean;
}

/** What a listener throws is reported as the page's own error, as with the browser's events. The others hear all the same. */
export function createEmitter<Events>(page: Page): Emitter<Events> {
  const listeners: { [K in keyof Events]?: Set<(event: Events[K]) => void> } = {};
  return {
    on(type, listener) {
      const present = (listeners[type] ??= new Set());
      present.add(listener);
      return () => void present.delete(listener);
    },
    emit(type, event) {
      const present = [...(listeners[type] ?? [])];
      for (const listener of present) {
        try {
          listener(event);
        } catch (cause) {
          page.reportError(cause);
        }
      }
      return present.length > 0;
    },
  };
}
