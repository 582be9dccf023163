const BODY_LIMIT = 64 * 1024;

/**
 * A small router in front of oidc-provider: `[method, pattern, handler]`, where `:name` in
 * the pattern is one path segment. What no route takes goes on to the provider.
 */
export function router(routes) {
  const table = routes.map(([method, pattern, handler]) => ({
    method,
    path: new RegExp(`^${pattern.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
    handler,
  }));
  return async (ctx, next) => {
    for (const { method, path, handler } of table) {
      const match = ctx.method === method ? path.exec(ctx.path) : null;
      if (match) {
        ctx.params = mapValues(match.groups ?? {}, decodeURIComponent);
        return handler(ctx);
      }
    }
    return next();
  };
}

/** The request's form, as an object; repeated fields keep the last value. */
export async function readForm(ctx) {
  return Object.fromEntries(new URLSearchParams(await readBody(ctx)));
}

export async function readBody(ctx) {
  const chunks = [];
  let size = 0;
  for await (const chunk of ctx.req) {
    size += chunk.length;
    if (size > BODY_LIMIT) ctx.throw(413, 'The request body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A form of the tenant's own pages must come from one of its own pages. */
export function requireOwnOrigin(ctx, issuer) {
  if (ctx.get('origin') !== new URL(issuer).origin) {
    ctx.throw(403, 'This form was not sent from a page of this site.');
  }
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
