import WebSocket from 'ws';
import { until } from './until.js';

/** A back end on the hub's channel: every logout of its issuer, from the first one on. */
export class Feed {
  logouts = [];
  #socket;

  constructor({ hub, clientId, secret }) {
    this.#socket = new WebSocket(`${hub.replace(/^http/, 'ws')}/ws`, 'slo.v1');
    this.#socket.on('message', (text) => this.#hear(JSON.parse(text)));
    this.#socket.on('error', () => {});
    this.#socket.on('open', () => {
      this.#socket.send(JSON.stringify({ type: 'subscribe', client_id: clientId, secret, after: '' }));
    });
  }

  /** Waits for the logout that the check accepts. */
  logout(what, check) {
    return until(`the hub tells of ${what}`, () => this.logouts.find(check));
  }

  close() {
    this.#socket.close();
  }

  #hear(message) {
    if (message.type === 'slo-event') this.logouts.push(message);
  }
}
