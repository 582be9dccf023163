import './styles.css';
import { readConfig, userStore, type Brand } from '@slo-hub-demo/shared';
import { openAccount } from './account';
import { appBar } from './app-bar';
import { show } from './dom';
import { firstNotes, type Note } from './note';
import { NotesView } from './notes-view';

const brand: Brand = {
  name: 'Notes',
  logo: 'M6 3h8l5 5v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM14 3v5h5M8 13h8M8 17h5',
  promise: 'A quiet place to think',
  pitch: 'Write it down before it is gone. Your notes stay with you, and nobody else sees them.',
  keeps: 'Your notes are',
};

const config = readConfig();

void openAccount(config, brand, (account) => {
  const { sub, name } = account.person;
  const store = userStore<Note[]>('notes', sub, () => firstNotes(name));
  document.title = brand.name;
  show(appBar({ brand, config, account }), new NotesView(store).element);
});
