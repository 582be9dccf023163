// Reads as much of a Dockerfile and of a .dockerignore as this project's use.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every stage, with its steps in order. */
export function parse(text) {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const steps = lines.join('\n').replaceAll('\\\n', ' ').split('\n').filter((line) => line.trim() !== '').map(step);
  const stages = [];
  for (const it of steps) {
    if (it.name === 'FROM') stages.push({ from: it.args[0], name: it.args[2], steps: [] });
    else stages.at(-1).steps.push(it);
  }
  return stages;
}

function step(line) {
  const [name] = line.trim().split(/\s/, 1);
  let rest = line.trim().slice(name.length).trim();
  const flags = [];
  for (let flag = /^--(\S+)\s+/.exec(rest); flag !== null; flag = /^--(\S+)\s+/.exec(rest)) {
    flags.push(flag[1]);
    rest = rest.slice(flag[0].length);
  }
  return { name, flags, args: words(rest), text: rest };
}

/** A JSON list, CMD and a JSON list, or words. */
function words(text) {
  if (text.startsWith('[')) return JSON.parse(text);
  if (text.startsWith('CMD [')) return ['CMD', ...JSON.parse(text.slice('CMD '.length))];
  return text.split(/\s+/);
}

/** Whether .dockerignore keeps a path out. The last line that fits decides. */
export function isIgnored(project, path) {
  const lines = readFileSync(join(project, '.dockerignore'), 'utf8').split('\n');
  let ignored = false;
  for (const line of lines.map((it) => it.trim()).filter((it) => it !== '' && !it.startsWith('#'))) {
    const pattern = line.replace(/^!/, '');
    if (fits(pattern, path)) ignored = !line.startsWith('!');
  }
  return ignored;
}

/** A folder that fits takes along what is in it. */
function fits(pattern, path) {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  const source = escaped.replaceAll('**/', '\u0000').replaceAll('*', '[^/]*').replaceAll('\u0000', '(?:.*/)?');
  return new RegExp(`^${source}(?:/.*)?$`).test(path);
}
