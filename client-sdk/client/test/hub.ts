import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FakeConnection, FakeSocket, openStream, type Sender } from './connections.js';
import type { Network } from './page.js';

export const HUB = 'https://hub.example';
export const ISSUER = 'https://acme.eu.auth0.com/';

/** The golden files, which the hub's own tests read too. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, '../../../tests/wire', name), 'utf8')) as T;
}

export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly name?: string;
  readonly sid?: string;
  readonly iat: number;
  readonly exp: number;
  readonly nonce?: string;
  readonly auth_time?: number;
}

interface Fact {
  readonly covers: (claims: Claims) => boolean;
  readonly event: Record<string, unknown>;
}

export const now = (): number => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An ID token of Ada's, signed by nobody. */
export function idToken(claims: Partial<Claims> = {}): string {
  const all = { iss: ISSUER, aud: 'notes', sub: 'ada', name: 'Ada Lovelace', sid: 's1', iat: now(), exp: now() + 36_000, ...claims };
  return `${encode({ alg: 'RS256' })}.${encode(all)}.c2ln`;
}

/**
 * A hub in this process: sockets, event streams and the API, over the facts of what is logged out. Hooks let a test
 * take it down, make it refuse, and see all that came in.
 */
export class FakeHub {
  isDown = false;
  refusesWebSockets = false;
  /** Accepts connections and says nothing. */
  isMute = false;
  idleTimeout: number | undefined;
  ticketLife = 259_200;
  /** Does something else with a subscribe. True: it is dealt with. */
  onSubscribe: ((credential: string, connection: FakeConnection) => boolean) | undefined;
  /** Answers an API request in another way. */
  onRequest: ((request: Request) => Response | Promise<Response> | undefined) | undefined;

  /** Everything presented on a channel, in order. */
  readonly presented: string[] = [];
  readonly acked: string[] = [];
  readonly requests: Request[] = [];
  readonly connections: FakeConnection[] = [];
  activities = 0;
  #facts: Fact[] = [];
  #ids = 0;

  /** What a page reaches this hub by. */
  network(): Network {
    const hub = this;
    class Socket extends FakeSocket {
      constructor(url: string, protocol: string) {
        super(hub, url, protocol);
      }
    }
    return { WebSocket: Socket as unknown as typeof WebSocket, fetch: (url, init) => this.#fetch(new Request(url as string, init)) };
  }

  get open(): FakeConnection[] {
    return this.connections.filter((connection) => connection.isOpen);
  }

  /** Ends a session as an app reported it: at `at`, and only for tokens not later than that. */
  signOutElsewhere(sid = 's1', more: Record<string, unknown> = {}): string {
    const at = now();
    return this.#record((claims) => claims.sid === sid && claims.iat <= at, { scope: 'session', sid, source: 'app', ...more });
  }

  /** Ends a session at the issuer: every token of it is logged out, whatever its times. */
  endAtIssuer(sid = 's1'): string {
    return this.#record((claims) => claims.sid === sid, { scope: 'session', sid, source: 'backchannel' });
  }

  /** The slo-event for what is presented, if its session is over. */
  factFor(credential: string): Record<string, unknown> | undefined {
    const claims = claimsOf(credential);
    return claims && this.#facts.find((fact) => fact.covers(claims))?.event;
  }

  subscribe(credential: string, connection: FakeConnection): void {
    this.presented.push(credential);
    connection.credential = credential;
    if (this.isMute || this.onSubscribe?.(credential, connection)) return;
    const claims = claimsOf(credential);
    const over = this.factFor(credential);
    if (!claims) return connection.refuse(4501, 'invalid_token', 'bad_signature');
    if (over) return connection.send(over);
    if (claims.exp <= now()) return connection.refuse(4003, 'token_expired', 'token_expired');
    connection.isLive = true;
    const { iss: issuer, aud: client_id, sid, sub } = claims;
    const idle = this.idleTimeout === undefined ? {} : { idle_timeout_seconds: this.idleTimeout };
    const resume = this.ticketFor(claims);
    connection.send({ type: 'subscribed', issuer, client_id, sid, sub, resume, heartbeat_seconds: 27, ...idle });
  }

  ticketFor({ iss, aud, sub, sid, iat }: Claims): string {
    return `slo1.${encode({ iss, aud, sub, sid, iat, exp: now() + this.ticketLife, given: this.presented.length })}.dGFn`;
  }

  heard(message: Record<string, unknown>, sender: Sender): void {
    if (message['type'] === 'subscribe') return this.subscribe(message['token'] as string, sender as FakeConnection);
    if (message['type'] === 'activity') this.activities++;
    if (message['type'] !== 'ack') return;
    this.acked.push(message['id'] as string);
    (sender as FakeConnection).close(4510);
  }

  /** Loses every connection without a word, as a crash does. */
  crash(): void {
    this.isDown = true;
    for (const connection of this.open) connection.close(1006);
  }

  #record(covers: Fact['covers'], more: Record<string, unknown>): string {
    const id = `01JD6ZKQ3V8M4T9XW2C5B7N${String(++this.#ids).padStart(3, '0')}`;
    const occurred_at = new Date().toISOString();
    const event = { type: 'slo-event', id, issuer: ISSUER, sub: 'ada', occurred_at, ...more };
    this.#facts.push({ covers, event });
    for (const connection of this.open) {
      const claims = claimsOf(connection.credential);
      if (connection.isLive && claims && covers(claims)) connection.send(event);
    }
    return id;
  }

  async #fetch(request: Request): Promise<Response> {
    this.requests.push(request);
    if (this.isDown) throw new TypeError('Failed to fetch');
    const other = this.onRequest?.(request);
    if (other) return other;
    const { pathname } = new URL(request.url);
    const credential = request.headers.get('authorization')?.slice(7) ?? '';
    if (pathname === '/api/v1/events') return openStream(this, credential, request.signal);
    if (pathname === '/api/v1/logouts') return this.#report(credential, (await request.json()) as Record<string, string>);
    const acked = /logouts\/(.*)\/acks/.exec(pathname)?.[1];
    if (acked) this.acked.push(acked);
    else this.activities++;
    return new Response(null, { status: 204 });
  }

  #report(credential: string, { scope = 'session', reason }: Record<string, string>): Response {
    const claims = claimsOf(credential);
    if (!claims) return Response.json({ error: 'invalid_token', code: 'bad_signature' }, { status: 401 });
    if (scope === 'user' && claims.exp <= now()) return Response.json({ error: 'invalid_token', code: 'token_expired' }, { status: 401 });
    const id = this.signOutElsewhere(claims.sid, reason ? { reason, scope } : { scope });
    const { type: _, ...event } = this.factFor(credential)!;
    const continue_url = `${HUB}/logout/continue?ticket=once`;
    return Response.json({ ...event, id, final: false, notified: 1, continue_url }, { status: 201 });
  }
}

function claimsOf(credential: string): Claims | undefined {
  try {
    return JSON.parse(Buffer.from(credential.split('.')[1]!, 'base64url').toString()) as Claims;
  } catch {
    return undefined;
  }
}
