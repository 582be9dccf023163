import Database from 'better-sqlite3';
import express from 'express';
import { auth } from 'express-openid-connect';
import { backchannelLogout } from '@slo-hub/node';

const { BASE_URL, CLIENT_ID, CLIENT_SECRET, COOKIE_SECRET, HUB, ISSUER, PORT } = process.env;

// Which sessions have ended. Every process of the app has to see it, and it has to outlive them.
const database = new Database('logouts.db');
database.exec('CREATE TABLE IF NOT EXISTS logouts (key TEXT PRIMARY KEY, mark TEXT NOT NULL, expires INTEGER NOT NULL)');
const find = database.prepare('SELECT mark FROM logouts WHERE key = ?');
const keep = database.prepare('INSERT OR REPLACE INTO logouts VALUES (?, ?, ?)');
const clean = database.prepare('DELETE FROM logouts WHERE expires < ?');
const store = {
  async get(key) {
    const row = find.get(key);
    return row && JSON.parse(row.mark);
  },
  async set(key, mark) {
    clean.run(Date.now());
    keep.run(key, JSON.stringify(mark), mark.cookie.expires);
  },
};

const app = express();
app.use(
  auth({
    issuerBaseURL: ISSUER,
    baseURL: BASE_URL,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: COOKIE_SECRET,
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: 'openid profile email' },
    routes: { logout: false },
    backchannelLogout: backchannelLogout({ store }),
  }),
);

app.get('/', (req, res) => {
  res.set('Cache-Control', 'no-store');
  if (!req.oidc.isAuthenticated()) return res.send('<a href="/login">Sign in</a>');
  return res.send(`
    <p>You are signed in.</p>
    <form method="post" action="${HUB}/logout">
      <input type="hidden" name="id_token_hint" value="${req.oidc.idToken}">
      <input type="hidden" name="post_logout_redirect_uri" value="${BASE_URL}/">
      <button>Sign out</button>
    </form>`);
});

app.listen(PORT);
