import path from 'node:path';
import { PORTS, VAR } from './settings.mjs';

/** Where each node listens, and where its health is. The balancer has the hub's own port. */
const NODES = [
  { name: 'node-1', port: 4021, admin: 4031 },
  { name: 'node-2', port: 4022, admin: 4032 },
  { name: 'node-3', port: 4023, admin: 4033 },
];

/** Long enough to watch the apps while it is gone. */
const COMES_BACK_AFTER_MS = 15_000;

/** What the cluster listens on, in place of the one hub. */
export const CLUSTER_PORTS = Object.fromEntries(
  NODES.flatMap(({ name, port, admin }) => [
    [name, port],
    [`${name}’s health page`, admin],
  ]),
);

/**
 * Three nodes of that hub on one database, and the balancer before them.
 *
 * @param hub the one hub, as the demo has it
 * @param {{ hubBinary: string, database: string }} where
 */
export function clusterOf(hub, { hubBinary, database }) {
  const nodes = NODES.map(({ name, port, admin }) => ({
    ...hub,
    name,
    title: name,
    env: {
      SLO_HUB__SERVER__LISTEN: `127.0.0.1:${port}`,
      SLO_HUB__SERVER__ADMIN_LISTEN: `127.0.0.1:${admin}`,
      SLO_HUB__STORE__URL: database,
    },
    ready: `http://127.0.0.1:${admin}/readyz`,
    comesBackAfterMs: COMES_BACK_AFTER_MS,
    pidFile: pidFile(name),
  }));
  const balancer = {
    name: 'balancer',
    title: 'balancer',
    command: [balancerBeside(hubBinary), `127.0.0.1:${PORTS.hub}`, ...NODES.map(({ port }) => `127.0.0.1:${port}`)],
    ready: `http://127.0.0.1:${PORTS.hub}/.well-known/slo-hub`,
  };
  return { nodes, balancer };
}

/** Cargo puts examples into a folder beside the programs. */
export function balancerBeside(hubBinary) {
  return path.join(path.dirname(hubBinary), 'examples/balancer');
}

function pidFile(name) {
  return path.join(VAR, `${name}.pid`);
}

/** What there is to see of the cluster, and to try. */
export function clusterWelcome() {
  const health = NODES.map(({ name, admin }) => `  ${name.padEnd(15)} http://127.0.0.1:${admin}/readyz   …/metrics`);
  const kill = `kill -9 $(cat ${path.relative(process.cwd(), pidFile('node-2'))})`;
  return `${health.join('\n')}

  Three nodes share one PostgreSQL, and a balancer on port ${PORTS.hub} gives each connection to the next of them.
  Kill one, and watch its apps come back by another and sign out all the same; it starts again after ${COMES_BACK_AFTER_MS / 1000} seconds:

    ${kill}
`;
}
