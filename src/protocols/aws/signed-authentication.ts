import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../../core/access/credentials.ts';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import { isRegion } from '../../core/values/registry.ts';
import { checkBeforeBody } from '../../http/sigv4/check-before-body.ts';
import { hashBody } from '../../http/sigv4/hash-body.ts';
import { parseSigned } from '../../http/sigv4/parse-signed.ts';
import type { SignedRequest } from '../../http/sigv4/signed-request.ts';
import { invalidSignature, missingAuthentication, SigV4Error } from '../../http/sigv4/sigv4-error.ts';
import { createVerifier, type Verifier, verifyBodyHash } from '../../http/sigv4/verify.ts';
import type { Authentication, Client } from './authenticate.ts';

export interface SignedAuthenticationSettings {
  readonly credentials: Credentials;
  readonly addresses: RegistryAddresses;
  /** The service that signatures are for. */
  readonly service: 'ecr' | 'sts';
  readonly now: () => Date;
}

/** AWS General Reference, "Signing AWS API requests": requests are good for five minutes. */
const SKEW_SECONDS_MAX = 300;

/**
 * Admits who signs with a known key (Signature Version 4). Before the body is read it refuses an unknown key, an expired session, a
 * wrong scope and a clock that is off, and a wrong signature too where the client declares its body's hash.
 */
export function signedAuthentication(settings: SignedAuthenticationSettings): Authentication {
  const verifier = createVerifier();
  const { credentials, service, now } = settings;
  return {
    async begin(request, client) {
      const signed = parseSigned(request);
      if (signed === undefined) throw missingAuthentication();
      checkBeforeBody(signed, request.headers, { now: now(), services: [service], maxSkewSeconds: SKEW_SECONDS_MAX });
      checkRegion(signed, client, settings);
      const { secret, caller } = await credentials.find(signed.accessKeyId, signed.sessionToken);
      const { payloadHash } = signed;
      const verify = (bodyHashHex: string) => verifyAsSent(verifier, signed, request, { client, secret, bodyHashHex });
      if (payloadHash !== undefined) verify(payloadHash);
      return {
        caller,
        region: signed.scope.region,
        isProven: payloadHash !== undefined,
        async prove(body) {
          const bodyHashHex = await hashBody(body);
          if (payloadHash === undefined) verify(bodyHashHex);
          else verifyBodyHash(signed, bodyHashHex);
        },
      };
    },
  };
}

/** Any region is a registry here, except to a client that asks the host of another one. */
function checkRegion(
  { scope: { region } }: SignedRequest,
  { host = '' }: Client,
  { addresses, service }: SignedAuthenticationSettings,
): void {
  const named = service === 'ecr' ? addresses.registryOfHost(host)?.region : undefined;
  if (isRegion(region) && (named === undefined || named === region)) return;
  throw invalidSignature(`Credential should be scoped to a valid region, not '${region}'.`);
}

/** A proxy may pass on the host that the client signed as the Host header, or beside it. */
function verifyAsSent(
  verifier: Verifier,
  signed: SignedRequest,
  request: IncomingMessage,
  { client, secret, bodyHashHex }: { client: Client; secret: string; bodyHashHex: string },
): void {
  try {
    verifier.verify(signed, request, { secret, bodyHashHex });
  } catch (error) {
    const { host } = client;
    if (!(error instanceof SigV4Error) || host === undefined || host === request.headers.host) throw error;
    verifier.verify(signed, request, { secret, bodyHashHex, host });
  }
}
