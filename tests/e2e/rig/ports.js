import net from 'node:net';

/**
 * Below what systems hand out by themselves (from 32768 on Linux): a port that was looked at here is taken by no
 * outgoing connection before its server listens. Workers that run at a time have a range each.
 */
const FIRST = 20_000;
const EACH = 1_000;
const WORKERS = 12;
const first = FIRST + EACH * (Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS);
// Two runs at a time are unlikely to meet.
let next = Math.floor(Math.random() * EACH);

/** So many ports that are free right now, all different. */
export async function freePorts(count) {
  const ports = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries === EACH) throw new Error(`fewer than ${count} ports are free from ${first} on`);
    const port = first + (next++ % EACH);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** Whether nobody listens there, by either family: browsers try both for `localhost`. */
async function isFree(port) {
  for (const host of ['127.0.0.1', '::1']) {
    if (!(await canListen(port, host))) return false;
  }
  return true;
}

function canListen(port, host) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', ({ code }) => {
      // A machine without IPv6 has nobody there either.
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return resolve(true);
      if (code === 'EADDRINUSE' || code === 'EACCES') return resolve(false);
      return reject(new Error(`cannot tell whether port ${port} is free: ${code}`));
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
