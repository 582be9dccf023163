import type { UserStore } from '@slo-hub-demo/shared';
import { h, icon } from './dom';
import { dateOf, excerptOf, matches, newNote, newestFirst, titleOf, wordsIn, type Note } from './note';

const PLUS = 'M12 5v14M5 12h14';
const LENS = 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4';
const BIN = 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13';
const BACK = 'M14 6l-6 6 6 6';

/** The list of notes and, beside it, the open one. On a phone one of the two is seen. */
export class NotesView {
  readonly element: HTMLElement;
  readonly #list = h('ul', { class: 'list', 'aria-label': 'Notes' });
  readonly #title = h('input', { class: 'title', 'aria-label': 'Title', placeholder: 'Title', oninput: () => this.#write() });
  readonly #body = h('textarea', { class: 'paper', 'aria-label': 'Note', placeholder: 'Start writing …', oninput: () => this.#write() });
  readonly #status = h('p', { class: 'status' });
  readonly #search = h('input', { class: 'search', type: 'search', placeholder: 'Search', 'aria-label': 'Search notes', oninput: () => this.#drawList() });
  #notes: Note[];
  #openId: string | undefined;

  constructor(private readonly store: UserStore<Note[]>) {
    this.#notes = newestFirst(store.load());
    this.#openId = this.#notes[0]?.id;
    this.element = h('main', { class: 'notes' }, h('h1', { class: 'unseen' }, 'Notes'), this.#sidePane(), this.#editorPane());
    this.#drawList();
    this.#drawEditor();
  }

  #sidePane(): HTMLElement {
    const add = h('button', { class: 'primary', onclick: () => this.#addNote() }, icon(PLUS), 'New note');
    const searchField = h('div', { class: 'search-field' }, icon(LENS), this.#search);
    return h('section', { class: 'side', 'aria-label': 'All notes' }, h('div', { class: 'tools' }, searchField, add), this.#list);
  }

  #editorPane(): HTMLElement {
    const back = h('button', { class: 'plain back', onclick: () => this.#showList() }, icon(BACK), 'All notes');
    const remove = h('button', { class: 'plain', 'aria-label': 'Delete this note', onclick: () => this.#removeNote() }, icon(BIN));
    const bar = h('div', { class: 'editor-bar' }, back, this.#status, remove);
    return h('section', { class: 'editor', 'aria-label': 'Open note' }, bar, this.#title, this.#body);
  }

  #drawList(): void {
    const query = this.#search.value;
    const shown = this.#notes.filter((note) => matches(note, query));
    const empty = h('li', { class: 'empty' }, query ? 'No note says that.' : 'No notes yet.');
    this.#list.replaceChildren(...(shown.length > 0 ? shown.map((note) => this.#listItem(note)) : [empty]));
  }

  #listItem(note: Note): HTMLElement {
    const current = note.id === this.#openId;
    return h(
      'li',
      {},
      h(
        'button',
        { class: 'note', 'aria-current': current ? 'true' : null, onclick: () => this.#openNote(note.id) },
        h('span', { class: 'note-title' }, titleOf(note)),
        h('span', { class: 'note-line' }, h('time', { datetime: note.changedAt }, dateOf(note)), excerptOf(note)),
      ),
    );
  }

  #drawEditor(): void {
    const note = this.#opened;
    this.#title.value = note?.title ?? '';
    this.#body.value = note?.body ?? '';
    this.#title.disabled = this.#body.disabled = note === undefined;
    this.#drawStatus();
  }

  #drawStatus(): void {
    const note = this.#opened;
    const words = note ? wordsIn(note) : 0;
    this.#status.textContent = note ? `${words} ${words === 1 ? 'word' : 'words'} · saved ${dateOf(note)}` : '';
  }

  get #opened(): Note | undefined {
    return this.#notes.find(({ id }) => id === this.#openId);
  }

  #openNote(id: string): void {
    this.#openId = id;
    this.element.classList.add('reading');
    this.#drawList();
    this.#drawEditor();
    (this.#opened?.title ? this.#body : this.#title).focus();
  }

  #showList(): void {
    this.element.classList.remove('reading');
    this.#list.querySelector<HTMLElement>('[aria-current]')?.focus();
  }

  #addNote(): void {
    const note = newNote();
    this.#search.value = '';
    this.#keep([note, ...this.#notes]);
    this.#openNote(note.id);
  }

  #removeNote(): void {
    this.#keep(this.#notes.filter(({ id }) => id !== this.#openId));
    this.#openId = this.#notes[0]?.id;
    this.#drawList();
    this.#drawEditor();
    this.#showList();
  }

  #write(): void {
    const written = { title: this.#title.value, body: this.#body.value, changedAt: new Date().toISOString() };
    this.#keep(this.#notes.map((note) => (note.id === this.#openId ? { ...note, ...written } : note)));
    this.#drawList();
    this.#drawStatus();
  }

  #keep(changed: Note[]): void {
    this.#notes = newestFirst(changed);
    this.store.save(this.#notes);
  }
}
