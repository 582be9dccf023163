import net from 'node:net';

const USES = { hub: 'hub', admin: 'hub’s health page', tenant: 'tenant', notes: 'Notes app', shop: 'Shop app', desk: 'Desk app', portal: 'Portal app' };

/**
 * Which of these ports something else answers on. Both loopback addresses are asked: a
 * browser that looks for `localhost` may try either of them first.
 *
 * @param {Record<string, number>} ports by the name of the part that wants them
 */
export async function takenPorts(ports) {
  const checks = Object.entries(ports).map(async ([name, port]) => {
    const answers = await Promise.all(['127.0.0.1', '::1'].map((host) => answersAt(host, port)));
    return answers.some(Boolean) || !(await canListen(port)) ? { name, port } : undefined;
  });
  return (await Promise.all(checks)).filter((taken) => taken !== undefined);
}

export function takenMessage(taken) {
  const lines = taken.map(({ name, port }) => `  Port ${port} is taken; the demo needs it for the ${USES[name] ?? name}.`);
  const [{ port }] = taken;
  return [
    ...lines,
    '',
    'Stop the program that uses it (perhaps another demo is still running), then start again.',
    `To see which program it is:  ss -ltnp 'sport = :${port}'   or   lsof -nP -iTCP:${port} -sTCP:LISTEN`,
  ].join('\n');
}

function answersAt(host, port) {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 500 });
    const finish = (answered) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
  });
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
