export const INTERNAL: readonly string[];
export function buildAlone(entry: string): Promise<string>;
export function buildScript(): Promise<string>;
