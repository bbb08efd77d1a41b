// A real OpenID provider for tests (npm oidc-provider) on loopback, for one client and whoever says a name.
// argv: port, the client's address. Prints one line of JSON when it listens; ends when its standard input does.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [port, ours] = process.argv.slice(2);
const require = createRequire(path.join(process.cwd(), "package.json"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const issuer = `http://127.0.0.1:${port}`;
const rolesOf = (name) => (name === "ada" ? ["codetether-admin"] : name === "vic" ? ["codetether-viewer"] : []);

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "codetether",
      client_secret: "a secret of tests",
      grant_types: ["authorization_code"],
      redirect_uris: [`${ours}/oidc/callback/`],
      post_logout_redirect_uris: [`${ours}/admin/login/`],
      backchannel_logout_uri: `${ours}/oidc/backchannel-logout`,
      backchannel_logout_session_required: true,
    },
  ],
  pkce: { required: () => true, methods: ["S256"] },
  claims: { openid: ["sub"], profile: ["preferred_username", "roles"], email: ["email"] },
  findAccount: (ctx, sub) => ({
    accountId: sub,
    claims: () => ({ sub, preferred_username: sub, roles: rolesOf(sub), email: `${sub}@example.com` }),
  }),
  features: {
    devInteractions: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  cookies: { keys: ["of tests"] },
  ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 600, AccessToken: 600 },
  clientBasedCORS: () => false,
});

const server = provider.listen(Number(port), "127.0.0.1", () => {
  process.stdout.write(JSON.stringify({ issuer: `http://127.0.0.1:${server.address().port}` }) + "\n");
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
