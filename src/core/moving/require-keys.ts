import type { Protection } from '../encryption/protection.ts';
import { RefusedError } from '../errors.ts';
import { MoveError } from './move-error.ts';
import { type Moving, protectionOfCopy } from './moving.ts';

const PAGE = 1000;

/**
 * Tries each way that bytes of the source are kept on the target, before either side is told of the move: what cannot come
 * through must not leave a mark.
 *
 * @throws MoveError when the target would keep encrypted bytes plain, or cannot encrypt under their keys
 */
export async function requireKeys(moving: Moving): Promise<void> {
  const tried = new Set<string>();
  for (let afterId = 0; ; ) {
    const page = await moving.source.metadata.read.blobs.page(afterId, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    afterId = last.id;
    for (const { protection } of page) {
      const way = wayOf(protection);
      if (tried.has(way)) continue;
      tried.add(way);
      await tryKeeping(moving, protection);
    }
  }
}

/** Of all that are kept in the same way, one tells of the others. */
function wayOf(protection: Protection | undefined): string {
  if (protection === undefined) return '';
  const { kind, keyId } = protection;
  const layers = kind === 'named-key' ? protection.encryptionType : protection.secondWrapped === undefined;
  return `${kind} ${layers} ${keyId}`;
}

/** A store that asks for the key itself tells only by a write whether it can. */
async function tryKeeping(moving: Moving, protection: Protection | undefined): Promise<void> {
  const { target, newId } = moving;
  const uploadId = newId();
  try {
    const kept = await protectionOfCopy(moving, protection, uploadId);
    if (kept.protection === undefined) return;
    const bytes = await target.encryption.bytes(kept.protection);
    const appender = await bytes.appender(uploadId, 0);
    appender.write(Uint8Array.of(0));
    await appender.close(false);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const whatToDo =
      'let the bytes stay where they are (--to-database alone), or first take the images of repositories under this key to others of type AES256';
    throw new MoveError(
      `There are bytes under ${protection?.keyId}, which ${target.place.bytes} cannot keep: ${error.message}. Make the key usable there, or ${whatToDo}`,
      { cause: error },
    );
  } finally {
    await target.blobs.discard(uploadId).catch(() => {});
  }
}
