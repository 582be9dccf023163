import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FrameUnderAttack, PageUnderAttack, type Message } from './attacks.js';

interface Row {
  readonly id: string;
  readonly why: string;
  readonly message: Message;
}

/** The part of the hub's attack corpus that is about the browser. */
const corpus = parse(readFileSync(new URL('../../../tests/attacks/post-message.yaml', import.meta.url), 'utf8')) as {
  readonly controls: readonly Row[];
  readonly rows: readonly Row[];
};
const played = new Set<string>();

function open(message: Message): Promise<FrameUnderAttack | PageUnderAttack> {
  return message.to === 'frame' ? FrameUnderAttack.open(message) : PageUnderAttack.open(message);
}

describe('what must be heard is heard', () => {
  it.each(corpus.controls)('$id: $why', async ({ message }) => {
    const target = await open(message);
    await target.hears(message);
    expect(target.ended).toBe(1);
  });
});

describe('whatever else is said: nobody is signed out or in, nothing is stored or asked, and nothing breaks', () => {
  it.each(corpus.rows)('$id: $why', async ({ id, message }) => {
    const target = await open(message);
    const before = target.state();
    await target.hears(message);
    expect(target.state()).toEqual(before);
    expect(({} as { type?: unknown }).type).toBeUndefined();
    await target.stillHears();
    played.add(id);
  });

  it('every row was played', () => {
    expect(corpus.rows.length).toBeGreaterThan(60);
    expect([...played].sort()).toEqual(corpus.rows.map(({ id }) => id).sort());
  });
});
