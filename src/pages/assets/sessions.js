// The list of sessions, and the page that shows what becomes of those that were ended. Both are
// whole without this script: it writes times in the person's own zone, and has the page fed live.

function tellTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });
  for (const time of document.querySelectorAll('time')) time.title = format.format(new Date(time.dateTime));
}

function show(session) {
  const section = document.querySelector(`[data-ended="${CSS.escape(session.id)}"]`);
  if (section === null) return;
  say(section.querySelector('.summary'), session.summary);
  say(section.querySelector('.at-issuer'), session.at_issuer);
  const list = section.querySelector('.apps') ?? addList(section);
  for (const app of session.apps) {
    const row = list.querySelector(`[data-app="${CSS.escape(app.client_id)}"]`) ?? addRow(list, app);
    if (row.dataset.state === app.state) continue;
    row.dataset.state = app.state;
    row.querySelector('.state').textContent = app.words;
  }
}

/** A live region is told again only what is new. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function addList(section) {
  const list = document.createElement('ul');
  list.className = 'apps';
  list.setAttribute('role', 'list');
  section.querySelector('.at-issuer').before(list);
  return list;
}

function addRow(list, app) {
  const row = document.createElement('li');
  row.dataset.app = app.client_id;
  for (const [part, text] of [['name', app.name], ['state', '']]) {
    const span = document.createElement('span');
    span.className = part;
    span.textContent = text;
    row.append(span);
  }
  list.append(row);
  return row;
}

function follow({ ticket }) {
  const feed = new EventSource(`/sessions/progress?ticket=${encodeURIComponent(ticket)}`);
  feed.addEventListener('message', ({ data }) => {
    const { sessions, is_done: isDone } = JSON.parse(data);
    sessions.forEach(show);
    if (isDone) feed.close();
  });
}

tellTimes();
const ended = document.getElementById('ended');
if (ended !== null) {
  ended.querySelector('h1').focus({ preventScroll: true });
  if ('live' in ended.dataset) follow(ended.dataset);
}
