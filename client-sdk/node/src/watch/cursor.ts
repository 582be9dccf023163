import { open, readFile, rename } from 'node:fs/promises';
import type { LogoutCursor } from './types.js';

/** A place in a file, for one process. It is never half written: either the old one is there, or the new one. */
export function fileCursor(path: string): LogoutCursor {
  return {
    async load() {
      try {
        return (await readFile(path, 'utf8')).trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save(id) {
      const file = await open(`${path}.new`, 'w', 0o600);
      try {
        await file.writeFile(`${id}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    },
  };
}
