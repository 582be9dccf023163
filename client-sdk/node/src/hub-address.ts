/**
 * An endpoint of the hub's.
 *
 * @throws {TypeError} Where what is sent there would cross a network in the clear. On this machine it may, and where
 *   `allowHttp` says that the network is one's own.
 */
export function hubAddress(hub: string | URL, path: string, allowHttp = false): URL {
  const url = new URL(hub);
  const isHere = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (isHere || allowHttp))) {
    throw new TypeError('hub is an https address; http only on this machine, or with allowHttp');
  }
  url.pathname = url.pathname.replace(/\/$/, '') + path;
  url.search = url.hash = url.username = url.password = '';
  return url;
}
