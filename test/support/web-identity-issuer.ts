import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** An OpenID Connect issuer on loopback, as a CI system is one. */
export interface WebIdentityIssuer extends AsyncDisposable {
  readonly issuer: string;
  /** A token good for five minutes from `at`, of the audience `sts.amazonaws.com` unless the claims say otherwise. */
  token(at: Date, claims: JWTPayload): Promise<string>;
}

export async function startWebIdentityIssuer(): Promise<WebIdentityIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' }];
  let issuer = '';
  const server = createServer((request, response) => {
    const isDiscovery = request.url === '/.well-known/openid-configuration';
    response.end(JSON.stringify(isDiscovery ? { issuer, jwks_uri: `${issuer}/keys` } : { keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    token(at, claims) {
      const seconds = Math.floor(at.getTime() / 1000);
      const times = { iat: seconds, nbf: seconds, exp: seconds + 300 };
      return new SignJWT({ iss: issuer, aud: 'sts.amazonaws.com', ...times, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .sign(privateKey);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
