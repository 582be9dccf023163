'use client';

import { useEffect } from 'react';

/**
 * Asks for the page anew as soon as its session is over; the server then says why nobody is signed in. Only a page that
 * is looked at holds a line to the server: a browser has few of them.
 */
export function Watch() {
  useEffect(() => {
    const over = new AbortController();
    let line: EventSource | undefined;
    const look = () => {
      line?.close();
      if (over.signal.aborted || document.visibilityState === 'hidden') return;
      line = new EventSource('/session');
      line.addEventListener('over', () => location.reload());
    };
    // A sign-out from here is on its way to the hub already: nothing may cross it.
    const leave = () => {
      over.abort();
      look();
    };
    document.addEventListener('visibilitychange', look, over);
    document.addEventListener('submit', leave, over);
    look();
    return leave;
  }, []);
  return null;
}
