import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const PACKAGE = path.join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(PACKAGE, file), 'utf8');
const types = read('src/types.ts');

/** The names in the first column of the table below a heading. */
function told(heading: string): string[] {
  const section = read('README.md').split(/^## /m).find((text) => text.startsWith(`${heading}\n`))!;
  const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!);
  return cells.flatMap((cell) => [...cell.matchAll(/`([\w-]+)[^`]*`/g)].map(([, name]) => name!));
}

/** The members of an interface of the types. */
function members(name: string): string[] {
  const body = new RegExp(`export interface ${name} \\{\\n([^]*?)^\\}`, 'm').exec(types)![1]!;
  return [...body.matchAll(/^ {2}(?:readonly )?'?([\w-]+)'?\??[:(]/gm)].map(([, member]) => member!);
}

/** The texts of a union of the types. */
function union(text: string, name: string): string[] {
  const body = new RegExp(`export type ${name} =([^;]*);`).exec(text)![1]!;
  return [...body.matchAll(/'([\w-]+)'/g)].map(([, one]) => one!);
}

describe('the tables of the README tell of', () => {
  it('every option', () => {
    expect(told('Options').sort()).toEqual(members('SloOptions').sort());
  });

  it('every state', () => {
    expect(told('States')).toEqual(union(types, 'SloState'));
  });

  it('every event, and every source of a sign-out', () => {
    expect(told('Events').sort()).toEqual(members('SloEvents').sort());
    const events = read('README.md').split('## Events')[1]!;
    for (const source of union(types, 'LogoutSource')) expect(events).toContain(`\`${source}\``);
  });

  it('every error code', () => {
    expect(told('Errors').sort()).toEqual(union(read('src/errors.ts'), 'SloErrorCode').sort());
  });

  it('every close code that the wire knows, by itself or by its kind', () => {
    const codes = JSON.parse(readFileSync(path.join(PACKAGE, '../../tests/wire/close-codes.json'), 'utf8')) as { code: number }[];
    const section = read('README.md').split('## Close codes')[1]!;
    expect(section).toMatch(/4000 to 4499.*comes back/s);
    expect(section).toMatch(/4500 to 4999.*stays away/s);
    for (const { code } of codes.filter((one) => one.code < 4000)) expect(section).toContain(String(code));
  });
});
