import type { WebIdentityClaims, WebIdentityVerifier } from '../../core/access/assume-role.ts';
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts';

/** How far the issuer's clock may be off, each way. */
const LEEWAY_SECONDS = 60;
/** STS API reference, AssumeRoleWithWebIdentity, WebIdentityToken. */
const TOKEN_CHARACTERS_MAX = 20_000;

/** Signatures that only the holder of a private key can make: neither `none` nor a secret that both sides would share. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/**
 * Verifies tokens of OpenID Connect issuers (GitHub Actions, GitLab, Kubernetes) by the keys that the issuer publishes
 * (OpenID Connect Core 1.0, 3.1.3.7; Discovery 1.0, 4). `jose` is loaded with the first token.
 *
 * @param keys where the issuers' keys come from
 */
export function createOidcVerifier({
  now = () => new Date(),
  keys = createIssuerKeys({ now }),
}: {
  now?: () => Date;
  keys?: IssuerKeys;
} = {}): WebIdentityVerifier {
  return {
    issuerOf,

    async verify(token, { issuer, audiences }) {
      const { jwtVerify, errors } = await import('jose');
      const options = {
        issuer,
        audience: [...audiences],
        algorithms: ALGORITHMS,
        clockTolerance: LEEWAY_SECONDS,
        requiredClaims: ['exp', 'sub'],
        // No bound on the age, which `exp` sets, but `iat` must be there and not lie ahead.
        maxTokenAge: Number.MAX_SAFE_INTEGER,
        currentDate: now(),
      };
      const attempt = async (isRetry: boolean) => {
        const published = await keys.of(issuer, { fresh: isRetry });
        return jwtVerify<Record<string, unknown>>(token, published, options);
      };
      try {
        const verified = await attempt(false).catch((error: unknown) => {
          // The issuer may have begun to sign with a key that it published since.
          if (error instanceof errors.JWKSNoMatchingKey) return attempt(true);
          throw error;
        });
        return claimsOf(verified.payload, audiences);
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
        throw new Error(reasonOf(error), { cause: error });
      }
    },
  };
}

/** Nothing is verified here: it only says whose keys to ask for. */
function issuerOf(token: string): string | undefined {
  const [, payload, , ...rest] = token.split('.', 4);
  if (token.length > TOKEN_CHARACTERS_MAX || payload === undefined || rest.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const issuer = typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined;
    return typeof issuer === 'string' ? issuer : undefined;
  } catch {
    return undefined;
  }
}

function claimsOf(payload: Readonly<Record<string, unknown>>, audiences: readonly string[]): WebIdentityClaims {
  const { sub, aud } = payload;
  const audience = [aud].flat().find((one) => audiences.includes(String(one)));
  if (typeof sub !== 'string' || sub === '' || audience === undefined) throw new Error(NOT_VALIDATED);
  const texts = new Map<string, string | readonly string[]>();
  for (const [claim, value] of Object.entries(payload)) {
    if (typeof value === 'string') texts.set(claim, value);
    else if (Array.isArray(value) && value.every((one) => typeof one === 'string')) texts.set(claim, value);
  }
  return { subject: sub, audience: String(audience), texts };
}

const NOT_VALIDATED = 'The web identity token that was passed could not be validated';

/** In the words of STS where it has some; never with anything out of the token but the name of a claim. */
function reasonOf({ code, ...facts }: { readonly code: string; readonly claim?: unknown }): string {
  if (code === 'ERR_JWT_EXPIRED') return 'The web identity token that was passed is expired';
  if (code === 'ERR_JWKS_NO_MATCHING_KEY') return `${NOT_VALIDATED}: its issuer publishes no key of that id`;
  if (code === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') return `${NOT_VALIDATED}: it does not say which key signed it`;
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return `${NOT_VALIDATED}: its signature is wrong`;
  if (code === 'ERR_JOSE_ALG_NOT_ALLOWED') return `${NOT_VALIDATED}: it is signed with an algorithm that is not taken`;
  if (code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return NOT_VALIDATED;
  if (facts.claim === 'aud') return 'Incorrect token audience';
  return `${NOT_VALIDATED}: its claim '${facts.claim}' is missing or wrong`;
}
