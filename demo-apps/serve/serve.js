import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { close, listen } from '@slo-hub-demo/shared/loopback';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

const CONFIG_SLOT = '<!-- config -->';

/**
 * Serves a built single-page app on 127.0.0.1. Every path that is no file is the app itself.
 *
 * @param {object} options
 * @param {string | URL} options.dir the folder the build wrote
 * @param {number} options.port
 * @param {{hub: string, issuer: string, clientId: string}} options.config what the app must know
 *   of its surroundings; it stands in the page, so that one build serves every installation
 */
export function createAppServer({ dir, port, config }) {
  const root = dir instanceof URL ? fileURLToPath(dir) : path.resolve(dir);
  const headers = securityHeaders(config);
  const server = http.createServer(async (req, res) => {
    try {
      await answer({ root, config, headers }, req, res);
    } catch (error) {
      console.error(`${config.clientId}:`, error);
      if (!res.headersSent) res.writeHead(500);
      res.end();
    }
  });
  return { listen: () => listen(server, port), close: () => close(server) };
}

async function answer({ root, config, headers }, req, res) {
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const file = filePath(root, req.url);
  if (file === undefined) {
    res.writeHead(400, { 'Content-Type': 'text/plain' }).end('Bad address');
    return;
  }
  const asset = path.extname(file) === '' ? undefined : await readFileIfThere(file);
  if (asset === undefined && file.startsWith(path.join(root, 'assets'))) {
    res.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not found');
    return;
  }
  const body = asset ?? (await indexPage(root, config));
  const type = asset === undefined ? TYPES['.html'] : (TYPES[path.extname(file)] ?? 'application/octet-stream');
  send(req, res, { body, headers: { ...headers, 'Content-Type': type, ...caching(root, file, body, asset) } });
}

function send(req, res, { body, headers }) {
  if (headers.ETag && req.headers['if-none-match'] === headers.ETag) {
    res.writeHead(304, headers).end();
    return;
  }
  res.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** Never leads out of the folder: what the URL parser leaves of dots is only ever inside it. */
function filePath(root, target) {
  try {
    const { pathname } = new URL(target, 'http://app');
    const decoded = decodeURIComponent(pathname);
    return decoded.includes('\0') ? undefined : path.join(root, path.normalize(decoded));
  } catch {
    return undefined;
  }
}

async function readFileIfThere(file) {
  try {
    return await readFile(file);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
    throw error;
  }
}

async function indexPage(root, config) {
  const page = await readFile(path.join(root, 'index.html'), 'utf8');
  const json = JSON.stringify(config).replaceAll('<', '\\u003c');
  return page.replace(CONFIG_SLOT, () => `<script type="application/json" id="config">${json}</script>`);
}

/**
 * Files under /assets carry their content's hash in their name and may be kept for ever. The
 * page is asked for each time, but not `no-store`, which would keep it out of the
 * back/forward cache.
 */
function caching(root, file, body, asset) {
  if (asset !== undefined && file.startsWith(path.join(root, 'assets'))) {
    return { 'Cache-Control': 'public, max-age=31536000, immutable' };
  }
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { 'Cache-Control': 'no-cache', ETag: `"${hash}"` };
}

function securityHeaders({ hub, issuer }) {
  const hubOrigin = new URL(hub).origin;
  const tenant = new URL(issuer).origin;
  const policy = {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'connect-src': `'self' ${tenant} ${hubOrigin} ${hubOrigin.replace(/^http/, 'ws')}`,
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
  };
  return {
    'Content-Security-Policy': Object.entries(policy).map(([name, value]) => `${name} ${value}`).join('; '),
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}
