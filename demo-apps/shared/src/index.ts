export { readConfig, type AppConfig } from './config';
export { brokenPage, leavingPage, signedOutPage, waitingPage, welcomePage, type Brand, type GatePage } from './gate';
export { AWAY } from './icons';
export { initialsOf, personOf, type Person } from './person';
export { auth0Settings, CALLBACK, SIGNED_OUT, signInRequest, signOutRequest } from './session';
export { userStore, type UserStore } from './user-store';
export { forgetWhy, recallWhy, rememberWhy, whyOf, type Why } from './why';
