/**
 * The first member name that an object of this JSON text holds twice. JSON.parse silently keeps the last of them, and a
 * policy whose conditions vanish would let in more than it says.
 *
 * @param text must be JSON
 */
export function duplicateMember(text: string): string | undefined {
  /** One entry for each container that is open: names seen in an object, undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    const [token, colon] = found;
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}

/** A string with what follows it (a colon after a member's name), or a bracket. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
