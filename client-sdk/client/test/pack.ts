import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

/** Packs the package as it is published, and installs that in a folder. Returns where it is. */
export function unpackInto(folder: string): string {
  const said = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: path.join(import.meta.dirname, '..'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(said) as Array<{ filename: string }>;
  const at = path.join(folder, 'node_modules/@slo-hub/client');
  mkdirSync(at, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(folder, packed!.filename), '--strip-components=1', '-C', at]);
  return at;
}
