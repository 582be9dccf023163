/** Next.js calls this once, when the server starts. */
export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { fileCursor, watchLogouts } = await import('@slo-hub/node');
  const { sessionStore } = await import('./lib/auth0');
  watchLogouts(
    {
      hub: process.env.HUB!,
      clientId: process.env.CLIENT_ID!,
      secret: process.env.HUB_SECRET!,
      cursor: fileCursor(`${process.env.DATABASE}.cursor`),
      onError: ({ code }) => console.error('the hub:', code),
    },
    sessionStore,
  );
}
