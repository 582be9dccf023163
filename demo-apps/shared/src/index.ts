export { openAccount, type Account, type Person } from './account';
export { appBar } from './app-bar';
export { readConfig, type AppConfig } from './config';
export { h, icon, show } from './dom';
export { type Brand } from './gate';
export { userStore, type UserStore } from './user-store';
