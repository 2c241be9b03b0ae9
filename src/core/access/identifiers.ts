/** Ids in the form AWS gives them (IAM user guide, "Understanding unique ID prefixes"). */
export type IdPrefix = 'AKIA' | 'ASIA' | 'AIDA' | 'AROA';

const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function newAccessKeyId(prefix: IdPrefix, randomBytes: (length: number) => Uint8Array): string {
  return prefix + Array.from(randomBytes(16), (byte) => BASE_32[byte & 31]).join('');
}

/** 40 characters, as a secret access key has. */
export function newSecretAccessKey(randomBytes: (length: number) => Uint8Array): string {
  return Buffer.from(randomBytes(30)).toString('base64');
}
