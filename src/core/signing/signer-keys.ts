import { constants, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';

/** The keys that signatures of the Notary Project are made with (signature specification, "Signature Algorithm Requirements"). */
export type SignerKeyType = keyof typeof KEY_TYPES;

interface KeyKind {
  /** As JWS calls it (RFC 7518, 3.1). */
  readonly algorithm: string;
  readonly hash: 'sha256' | 'sha384' | 'sha512';
}

const KEY_TYPES = {
  'ec-256': { algorithm: 'ES256', hash: 'sha256' },
  'ec-384': { algorithm: 'ES384', hash: 'sha384' },
  'ec-521': { algorithm: 'ES512', hash: 'sha512' },
  'rsa-2048': { algorithm: 'PS256', hash: 'sha256' },
  'rsa-3072': { algorithm: 'PS384', hash: 'sha384' },
  'rsa-4096': { algorithm: 'PS512', hash: 'sha512' },
} as const satisfies Record<string, KeyKind>;

const CURVES: Readonly<Record<string, SignerKeyType>> = {
  prime256v1: 'ec-256',
  secp384r1: 'ec-384',
  secp521r1: 'ec-521',
};

export function isSignerKeyType(text: string): text is SignerKeyType {
  return Object.hasOwn(KEY_TYPES, text);
}

export const SIGNER_KEY_TYPES = Object.keys(KEY_TYPES) as readonly SignerKeyType[];

export function jwsAlgorithmOf(keyType: SignerKeyType): string {
  return KEY_TYPES[keyType].algorithm;
}

/** @returns undefined for a key that such signatures cannot be made with */
export function signerKeyTypeOf(key: KeyObject): SignerKeyType | undefined {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') return CURVES[namedCurve];
  const named = `rsa-${modulusLength}`;
  return key.asymmetricKeyType === 'rsa' && isSignerKeyType(named) ? named : undefined;
}

export function newSignerKey(keyType: SignerKeyType): { privateKey: KeyObject; publicKey: KeyObject } {
  const [kind, bits = ''] = keyType.split('-');
  if (kind === 'ec') return generateKeyPairSync('ec', { namedCurve: `P-${bits}` });
  return generateKeyPairSync('rsa', { modulusLength: Number(bits) });
}

/** As JWS has it: of an EC key the two numbers side by side, of an RSA key PSS (RFC 7518, 3.4 and 3.5). */
export function signWith(keyType: SignerKeyType, privateKey: KeyObject, content: Uint8Array): Buffer {
  return sign(KEY_TYPES[keyType].hash, content, { key: privateKey, ...manner(keyType) });
}

export function isSignedWith(
  keyType: SignerKeyType,
  publicKey: KeyObject,
  content: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verify(KEY_TYPES[keyType].hash, content, { key: publicKey, ...manner(keyType) }, signature);
}

function manner(keyType: SignerKeyType) {
  if (keyType.startsWith('ec-')) return { dsaEncoding: 'ieee-p1363' as const };
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
