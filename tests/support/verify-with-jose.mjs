// Checks a logout token as any back end would, with a library that shares nothing with the
// hub: fetches the keys from the hub, verifies, and prints what it was told.
//
//   node verify-with-jose.mjs <jwks uri> <issuer> <audience> <token>
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { resolve } = createRequire(new URL('../../demo-apps/tenant/package.json', import.meta.url));
const { calculateJwkThumbprint, createRemoteJWKSet, jwtVerify } = await import(pathToFileURL(resolve('jose')).href);

const [keys, issuer, audience, token] = process.argv.slice(2);
const expected = {
  issuer,
  audience,
  typ: 'logout+jwt',
  algorithms: ['ES256'],
  requiredClaims: ['iat', 'exp', 'jti', 'events', 'txn'],
};
try {
  const { payload, protectedHeader, key } = await jwtVerify(token, createRemoteJWKSet(new URL(keys)), expected);
  console.log(JSON.stringify({ payload, protectedHeader, thumbprint: await calculateJwkThumbprint(key) }));
} catch (error) {
  console.log(JSON.stringify({ refused: error.code }));
}
