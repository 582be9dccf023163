// Keeps the console's pages fresh. Each is whole without this script: it loads the page that is
// open once more and takes over the parts that are marked `data-live`.

const EVERY_MS = 5000;
const live = document.querySelectorAll('[data-live]');
let paused = false;

/** Loads the page anew, and shows what has changed of it. */
async function refresh() {
  if (paused || document.hidden) return;
  const answer = await fetch(location.href, { headers: { 'X-Console-Refresh': '1' }, redirect: 'error' });
  // Signed out: the page itself leads to the sign-in.
  if (answer.status === 403) return location.reload();
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    replace(part, fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`));
  }
  tellTimes();
}

/** Whoever is about to press or to read something in a part keeps it as it is. */
function replace(part, fresh) {
  if (fresh === null || part.contains(document.activeElement) || part.querySelector('details[open]') !== null) return;
  if (part.innerHTML === fresh.innerHTML) return;
  part.replaceChildren(...fresh.childNodes);
}

async function keepFresh() {
  try {
    await refresh();
    say('');
  } catch {
    say('The hub does not answer; these figures are old.');
  }
  setTimeout(keepFresh, EVERY_MS);
}

const note = document.createElement('p');
note.setAttribute('role', 'status');

function say(text) {
  if (note.textContent !== text) note.textContent = text;
}

/** What moves by itself can be stopped. */
function offerPause() {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'plain';
  const label = () => (button.textContent = paused ? 'Resume updates' : 'Pause updates');
  button.addEventListener('click', () => {
    paused = !paused;
    label();
  });
  label();
  document.querySelector('.foot').append(button, note);
}

/** Times in the operator's own zone, beside the hub's. */
function tellTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'long' });
  for (const time of document.querySelectorAll('time[datetime]')) {
    time.title = format.format(new Date(time.dateTime));
  }
}

/** Fields that belong to what is chosen. */
function followChoice(form) {
  const show = () => {
    const chosen = form.querySelector('input[name="whom"]:checked')?.value;
    for (const field of form.querySelectorAll('[data-for]')) {
      field.hidden = !field.dataset.for.split(' ').includes(chosen);
      for (const control of field.querySelectorAll('input, select')) control.disabled = field.hidden;
    }
  };
  form.addEventListener('change', show);
  show();
}

/** On a phone the menu is wider than the screen. */
function showPlace() {
  document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
}

tellTimes();
showPlace();
addEventListener('resize', showPlace);
document.querySelectorAll('form:has(input[name="whom"])').forEach(followChoice);
// The footer's own time alone is no reason.
if (live.length > 1) {
  offerPause();
  setTimeout(keepFresh, EVERY_MS);
}
