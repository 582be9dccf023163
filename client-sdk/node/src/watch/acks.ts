import type { Connection } from './connection.js';

/**
 * What the hub has yet to hear is done. The protocol confirms no acknowledgement, and one that was sent into a line that
 * was breaking is lost; so each lot is followed by a ping, and is told again on the next connection unless its pong came.
 */
export class Acks {
  /** Not confirmed, in order. */
  #ids: string[] = [];
  /** How many were confirmed before those. */
  #confirmed = 0;
  /** How many of them were told on this connection. */
  #told = 0;
  #connection: Connection | undefined;

  /** From here on, the hub listens on this connection. */
  renew(connection: Connection): void {
    this.#connection = connection;
    this.#told = 0;
    this.tell([]);
  }

  /** Tells the hub now, or once there is a hub to tell. */
  tell(ids: readonly string[]): void {
    for (const id of ids) this.#ids.push(id);
    const connection = this.#connection;
    const untold = this.#ids.slice(this.#told);
    if (!connection || untold.length === 0 || !untold.every((id) => connection.say({ type: 'ack', id }))) return;
    this.#told = this.#ids.length;
    connection.ping(String(this.#confirmed + this.#told));
  }

  /** The hub has read everything that was said before this ping. */
  heard(pong: string): void {
    const confirmed = Number(pong) - this.#confirmed;
    if (!(confirmed > 0)) return;
    this.#ids.splice(0, confirmed);
    this.#confirmed += confirmed;
    this.#told -= confirmed;
  }
}
