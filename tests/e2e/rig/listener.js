import WebSocket from 'ws';
import { until } from './until.js';

/** An app on the hub's channel without a browser: a native one, or a page of `origin` that a test speaks for. */
export class Listener {
  heard = [];
  #socket;

  static async subscribe({ hub, token, origin }) {
    const listener = new Listener();
    listener.#socket = new WebSocket(`${hub.replace(/^http/, 'ws')}/ws`, 'slo.v1', { origin });
    listener.#socket.on('message', (text) => listener.heard.push(JSON.parse(text)));
    await new Promise((resolve, reject) => {
      listener.#socket.once('open', resolve);
      listener.#socket.once('error', reject);
    });
    await listener.ask(token);
    return listener;
  }

  /** Presents the token, at first or once more, and returns the hub's answer. */
  async ask(token) {
    const before = this.heard.length;
    this.#socket.send(JSON.stringify({ type: 'subscribe', token }));
    await until('the hub answers', () => this.heard.length > before);
    return this.heard[before];
  }

  /** Says that this app has ended its session for a logout. */
  acknowledge(id) {
    this.#socket.send(JSON.stringify({ type: 'ack', id }));
  }

  close() {
    this.#socket.close();
  }
}
