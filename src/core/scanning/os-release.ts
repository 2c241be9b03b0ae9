/** What an image says it is (os-release(5)). */
export interface OsRelease {
  /** Lower case: `debian`, `alpine`, `rhel`. */
  readonly id: string;
  readonly versionId?: string;
  readonly name?: string;
}

/** @returns undefined when there is no ID in it */
export function parseOsRelease(text: string): OsRelease | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^\s*([A-Z_0-9]+)=(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, unquote(value));
  }
  const id = values.get('ID')?.toLowerCase();
  if (!id) return undefined;
  const versionId = values.get('VERSION_ID');
  const name = values.get('PRETTY_NAME') ?? values.get('NAME');
  return { id, ...(versionId && { versionId }), ...(name && { name }) };
}

/** As a shell would, with the few escapes that the page allows. */
function unquote(value: string): string {
  const [, quote, inner] = /^(["'])(.*)\1$/.exec(value) ?? [];
  if (inner === undefined) return value;
  return quote === '"' ? inner.replace(/\\([\\"$`])/g, '$1') : inner;
}
