import type { BuildOptions } from 'esbuild';

export const INTERNAL: readonly string[];
export const SCRIPTS: ReadonlyArray<readonly [name: string, what: BuildOptions]>;
export function buildAlone(entry: string): Promise<string>;
export function buildScript(what: BuildOptions): Promise<string>;
