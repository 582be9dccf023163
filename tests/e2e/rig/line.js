import http from 'node:http';

/**
 * The network between everybody and the hub: the hub's public address leads here. A test can
 * cut the line of one app, or have the line refuse WebSockets as some company proxies do.
 */
export class Line {
  #server;
  #hub;
  #port;
  #cut = new Set();
  #refusesWebSockets = false;
  #watcher = () => {};
  #brokenPath;
  /** Open client sockets, by the origin of the page behind them. */
  #open = new Map();

  constructor({ port, hub }) {
    this.#port = port;
    this.#hub = { host: '127.0.0.1', port: hub };
    this.#server = http.createServer((req, res) => this.#forward(req, res));
    this.#server.on('upgrade', (req, socket, head) => this.#upgrade(req, socket, head));
  }

  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
  }

  close() {
    for (const sockets of this.#open.values()) sockets.forEach((socket) => socket.destroy());
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  /** From now on pages of this origin reach nothing here, and what they had open breaks. */
  cut(origin) {
    this.#cut.add(origin);
    this.#open.get(origin)?.forEach((socket) => socket.destroy());
  }

  mend(origin) {
    this.#cut.delete(origin);
  }

  /** Shows every request from now on to a test. */
  watch(watcher) {
    this.#watcher = watcher;
  }

  /** From now on requests for this path break. */
  breakAt(path) {
    this.#brokenPath = path;
  }

  refuseWebSockets() {
    this.#refusesWebSockets = true;
  }

  /** How many requests and sockets of this origin are open. */
  openOf(origin) {
    return this.#open.get(origin)?.size ?? 0;
  }

  #forward(req, res) {
    this.#watcher(req);
    const isBroken = req.url.split('?')[0] === this.#brokenPath;
    if (isBroken || this.#cut.has(req.headers.origin)) return req.socket.destroy();
    this.#track(req.headers.origin, req.socket, res);
    const onward = http.request({ ...this.#hub, method: req.method, path: req.url, headers: req.headers });
    onward.once('response', (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
      answer.once('error', () => res.destroy());
    });
    // A hub that is down looks like one: the connection breaks without an answer.
    onward.once('error', () => req.socket.destroy());
    res.once('close', () => onward.destroy());
    req.pipe(onward);
    return undefined;
  }

  #upgrade(req, socket, head) {
    socket.on('error', () => {});
    if (this.#cut.has(req.headers.origin)) return socket.destroy();
    if (this.#refusesWebSockets) return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    this.#track(req.headers.origin, socket, socket);
    const onward = http.request({ ...this.#hub, method: req.method, path: req.url, headers: req.headers });
    onward.once('upgrade', (answer, hubSocket, hubHead) => {
      socket.write(headText(answer));
      socket.write(hubHead);
      hubSocket.write(head);
      join(socket, hubSocket);
    });
    onward.once('response', (answer) => {
      socket.write(headText(answer));
      answer.pipe(socket);
    });
    onward.once('error', () => socket.destroy());
    onward.end();
    return undefined;
  }

  #track(origin, socket, until) {
    if (origin === undefined) return;
    const sockets = this.#open.get(origin) ?? new Set();
    this.#open.set(origin, sockets.add(socket));
    until.once('close', () => sockets.delete(socket));
  }
}

function headText({ statusCode, statusMessage, rawHeaders }) {
  const lines = [];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`;
}

function join(one, other) {
  for (const [from, to] of [[one, other], [other, one]]) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.once('close', () => to.destroy());
  }
}
