/** What CloudTrail itself writes in place of what it must not tell. */
const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS';
const SECRET_NAME = /secret|password|token|signature|authorization|credential|blob$/i;
const TEXT_CHARACTERS_MAX = 4096;
const ITEMS_MAX = 100;
const DEPTH_MAX = 6;

/**
 * A copy of request parameters fit to be kept: nothing under a name that speaks of a secret, no bytes, and nothing without
 * a bound. Faces leave secrets out themselves; this is what catches the one that forgot.
 */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return value.length <= TEXT_CHARACTERS_MAX ? value : `${value.slice(0, TEXT_CHARACTERS_MAX)}…`;
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => withoutSecrets(item, depth + 1));
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value).slice(0, ITEMS_MAX)) {
    if (member === undefined) continue;
    kept[name] = SECRET_NAME.test(name) ? HIDDEN : withoutSecrets(member, depth + 1);
  }
  return kept;
}
