import { auth0 } from '../lib/auth0';

export default async function Page() {
  const session = await auth0.getSession();
  if (!session) return <a href="/auth/login">Sign in</a>;
  return (
    <main>
      <p>You are signed in.</p>
      <form method="post" action={`${process.env.HUB}/logout`}>
        <input type="hidden" name="id_token_hint" value={session.tokenSet.idToken} />
        <input type="hidden" name="post_logout_redirect_uri" value={`${process.env.BASE_URL}/`} />
        <button>Sign out</button>
      </form>
    </main>
  );
}
