/** One way to log in that a server offers (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads a WWW-Authenticate header: any number of challenges, with any number of parameters each, all parted by commas. What
 * cannot be read ends the reading.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const word = new RegExp(WORD);
  for (let match = word.exec(header); match !== null; match = word.exec(header)) {
    const [, name = '', hasValue, quoted, bare] = match;
    const value = quoted?.replace(/\\(.)/gs, '$1') ?? bare ?? '';
    if (hasValue === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}

/** A scheme, or a parameter: name, `=` and a value with or without quotes. */
const WORD = /[\s,]*([!#$%&'*+\-.^_`|~\w]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?(?=[\s,]|$)/gsy;
