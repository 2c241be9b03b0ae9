import * as der from './der.ts';

/** Whose certificate it is, in the order in which it is written. The values hold no line breaks. */
export interface NameParts {
  /** Two letters. */
  readonly country?: string;
  readonly state?: string;
  readonly organization?: string;
  readonly commonName: string;
}

/** A Name of X.501, each part in a set of its own. */
export function distinguishedName({ country, state, organization, commonName }: NameParts): Buffer {
  return der.sequence(
    ...(country === undefined ? [] : [part('2.5.4.6', der.printableString(country))]),
    ...(state === undefined ? [] : [part('2.5.4.8', der.utf8String(state))]),
    ...(organization === undefined ? [] : [part('2.5.4.10', der.utf8String(organization))]),
    part('2.5.4.3', der.utf8String(commonName)),
  );
}

/**
 * The parts of a name as `subject` of node:crypto's X509Certificate shows them: each on a line, `CN=…`, those of one set on
 * one line; what is special in RFC 2253 stands behind a backslash, as itself or in hexadecimal digits.
 */
export function namePartsOf(subject: string): NameParts {
  const parts = new Map(
    subject.split(/\n| \+ /).map((part) => [part.split('=', 1)[0], unescaped(part.slice(part.indexOf('=') + 1))]),
  );
  const [country, state, organization] = ['C', 'ST', 'O'].map((key) => parts.get(key));
  return {
    ...(country !== undefined && { country }),
    ...(state !== undefined && { state }),
    ...(organization !== undefined && { organization }),
    commonName: parts.get('CN') ?? '',
  };
}

function unescaped(text: string): string {
  return text.replace(/\\(?:([0-9A-Fa-f]{2})|(.))/gs, (_, digits, character) =>
    digits === undefined ? character : String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

function part(type: string, text: Buffer): Buffer {
  return der.set(der.sequence(der.objectIdentifier(type), text));
}
