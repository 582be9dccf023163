import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileCursor } from '../../src/watch/index.js';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'slo-cursor-'))));
afterAll(() => rm(folder, { recursive: true }));

it('a place in a file is there for the next process, and for nobody else to read', async () => {
  const path = join(folder, 'place');
  expect(await fileCursor(path).load()).toBeUndefined();
  await fileCursor(path).save('01A');
  await fileCursor(path).save('01B');
  expect(await fileCursor(path).load()).toBe('01B');
  expect((await stat(path)).mode & 0o077).toBe(0);
});

it('a save that was cut short leaves the place before it', async () => {
  const path = join(folder, 'cut');
  await fileCursor(path).save('01A');
  await writeFile(`${path}.new`, '01');
  expect(await fileCursor(path).load()).toBe('01A');
  await fileCursor(path).save('01B');
  expect(await readdir(folder)).not.toContain('cut.new');
});

it('a file that cannot be read or written is told, and not taken for one that is not there', async () => {
  await expect(fileCursor(folder).load()).rejects.toThrow('EISDIR');
  await expect(fileCursor(join(folder, 'nowhere', 'place')).save('01A')).rejects.toThrow('ENOENT');
});
