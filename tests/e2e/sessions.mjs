/**
 * Takes pictures of the list of one's own sessions in each of its states, on a phone and on a
 * desktop, light and dark: `node tests/e2e/sessions.mjs FOLDER`.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { LAPTOP, PHONE, SessionsPage, TABLET } from './rig/sessions-page.js';
import { shoot } from './rig/shoot.js';
import { startWorld } from './rig/world.js';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Say where the pictures go: node tests/e2e/sessions.mjs FOLDER');
await mkdir(folder, { recursive: true });
const world = await startWorld({ hubClient: true, management: true });
try {
  const laptop = await device(LAPTOP, ['notes', 'shop']);
  const alone = await SessionsPage.open(laptop, world.urls.hub);
  await take(alone, 'sessions-alone');
  const phone = await device(PHONE, ['notes', 'shop']);
  await device(TABLET, ['shop']);
  await (await device(PHONE, ['notes'])).context.close();
  await alone.goTo();
  await take(alone, 'sessions');

  await alone.everywhereElse();
  await take(alone, 'sessions-end');
  await alone.goTo();
  await alone.signOut('Chrome on Android');
  await alone.page.getByRole('heading', { name: 'ended' }).waitFor();
  await alone.page.getByText('has ended too').waitFor();
  await take(alone, 'sessions-ended');

  await alone.goTo();
  await alone.everywhereElse();
  await alone.page.getByRole('button', { name: /^Sign out/ }).click();
  await take(alone, 'sessions-ended-all');
  await phone.context.close();
  console.log(path.resolve(folder));
} finally {
  await world.close();
}

/** Somebody who uses these apps on that device. */
async function device(userAgent, apps) {
  const person = await world.person('Ada Lovelace', { userAgent });
  for (const app of apps) await person.signInTo(app);
  return person;
}

function take(list, name) {
  return shoot(list.page, path.join(folder, name));
}
