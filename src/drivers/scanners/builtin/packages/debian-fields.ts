/**
 * The paragraphs of a Debian control file (deb822(5)), each as a map of the fields asked for; a field that goes on over
 * several lines has its first alone.
 */
export function* paragraphs(text: string, wanted: ReadonlySet<string>): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>();
  for (const line of linesOf(text)) {
    if (line === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0 || line[0] === ' ' || line[0] === '\t') continue;
    const name = line.slice(0, colon);
    if (wanted.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  if (fields.size > 0) yield fields;
}

/** One by one: a list of all lines would be as large as the text again. */
export function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const stop = end < 0 ? text.length : end;
    yield text.slice(at, text[stop - 1] === '\r' ? stop - 1 : stop);
    at = stop + 1;
  }
}
