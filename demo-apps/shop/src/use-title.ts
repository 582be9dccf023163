import { useEffect } from 'react';

/** The title of the document while the component is shown. */
export function useTitle(title: string): void {
  useEffect(() => void (document.title = title), [title]);
}
