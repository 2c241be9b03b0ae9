import type { Digest } from './digest.ts';
import { parseDigest } from './digest.ts';
import { essenceOf, isImageManifest, isIndex } from './media-type.ts';

/** What a manifest says, as far as a registry cares. */
export interface Manifest {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Config and layers whose bytes this registry must have. */
  readonly blobs: readonly Descriptor[];
  /** Layers that live at foreign URLs. A client may have pushed them all the same; then the image needs them to stay. */
  readonly foreign: readonly Descriptor[];
  /** An index's manifests. */
  readonly children: readonly Descriptor[];
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** ECR API model, `imageManifest`; the OCI distribution specification asks for the same at least. */
export const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;

/** More than any image has; what bounds the work of a manifest that is nothing but descriptors. */
const DESCRIPTORS_MAX = 10_000;

/** ECR's words for a manifest that is broken or of an unknown kind. */
const INVALID_JSON = 'Invalid JSON syntax';

/**
 * Reads a manifest: Docker schema 2 and manifest list, OCI image manifest and index.
 *
 * @param declaredMediaType as the client declared it; the manifest's own counts when there is none
 * @throws ManifestError with the reason in ECR's words where they are known
 */
export function parseManifest(bytes: Uint8Array, declaredMediaType?: string): Manifest {
  if (bytes.byteLength === 0) throw new ManifestError(INVALID_JSON);
  const document = asObject(parseJson(bytes), INVALID_JSON);
  const own = optionalText(document, 'mediaType');
  const mediaType = essenceOf(declaredMediaType ?? own ?? '');
  if (own !== undefined && essenceOf(own) !== mediaType) {
    throw new ManifestError(`The manifest says mediaType '${own}' and the request says '${mediaType}'`);
  }
  if (document.schemaVersion !== 2) throw new ManifestError(INVALID_JSON);
  if (isImageManifest(mediaType)) return readImage(document, mediaType);
  if (isIndex(mediaType)) return readIndex(document, mediaType);
  throw new ManifestError(mediaType === '' ? INVALID_JSON : `Unsupported manifest type: '${mediaType}'`);
}

export class ManifestError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ManifestError';
  }
}

type JsonObject = Record<string, unknown>;

function readImage(document: JsonObject, mediaType: string): Manifest {
  if ('manifests' in document) throw new ManifestError("An image manifest has no 'manifests'");
  const config = asDescriptor(document.config, 'config');
  const layers = asList(document.layers, 'layers');
  const own = layers.filter((layer) => !hasUrls(layer)).map((layer, at) => asDescriptor(layer, `layers[${at}]`));
  const foreign = layers.filter((layer) => hasUrls(layer) && isDescriptor(layer));
  const artifactType = artifactTypeOf(document) ?? config.mediaType;
  return {
    mediaType,
    artifactType,
    ...commonOf(document),
    blobs: [config, ...own],
    foreign: foreign.map((layer) => asDescriptor(layer, 'layers')),
    children: [],
  };
}

/** BuildKit keeps its cache in an index whose entries are layers; such entries are blobs like an image's. */
function readIndex(document: JsonObject, mediaType: string): Manifest {
  if ('layers' in document) throw new ManifestError("An index has no 'layers'");
  const entries = asList(document.manifests, 'manifests').map((entry, at) => asDescriptor(entry, `manifests[${at}]`));
  const isManifest = ({ mediaType: type }: Descriptor) => isImageManifest(essenceOf(type)) || isIndex(essenceOf(type));
  const artifactType = artifactTypeOf(document);
  return {
    mediaType,
    ...(artifactType && { artifactType }),
    ...commonOf(document),
    blobs: entries.filter((entry) => !isManifest(entry)),
    foreign: [],
    children: entries.filter(isManifest),
  };
}

function commonOf(document: JsonObject): Pick<Manifest, 'subject' | 'annotations'> {
  const subject = document.subject == null ? undefined : asDescriptor(document.subject, 'subject');
  const annotations = document.annotations == null ? undefined : asTexts(document.annotations, 'annotations');
  return { ...(subject && { subject }), ...(annotations && { annotations }) };
}

/** Undefined also when it is empty. */
function artifactTypeOf(document: JsonObject): string | undefined {
  const type = optionalText(document, 'artifactType') || undefined;
  if (type !== undefined && !MEDIA_TYPE.test(type)) throw new ManifestError("'artifactType' must be printable ASCII");
  return type;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ManifestError(INVALID_JSON);
  }
}

function asObject(value: unknown, reason: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ManifestError(reason);
  return value as JsonObject;
}

function asList(value: unknown, member: string): unknown[] {
  if (!Array.isArray(value)) throw new ManifestError(`'${member}' must be a list`);
  if (value.length > DESCRIPTORS_MAX) throw new ManifestError('Limit on number of layers per image exceeded');
  return value;
}

function asTexts(value: unknown, member: string): Record<string, string> {
  const texts = asObject(value, `'${member}' must be an object`);
  for (const text of Object.values(texts)) {
    if (typeof text !== 'string') throw new ManifestError(`'${member}' must hold strings only`);
  }
  return texts as Record<string, string>;
}

function asDescriptor(value: unknown, member: string): Descriptor {
  const descriptor = asObject(value, `'${member}' must be a descriptor`);
  const mediaType = optionalText(descriptor, 'mediaType');
  const digest = parseDigest(optionalText(descriptor, 'digest') ?? '');
  const { size } = descriptor;
  if (!mediaType) throw new ManifestError(`'${member}' must have a mediaType`);
  if (!MEDIA_TYPE.test(mediaType)) throw new ManifestError(`'${member}' must have a mediaType of printable ASCII`);
  if (!digest) throw new ManifestError(`'${member}' must have a sha256 or sha512 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new ManifestError(`'${member}' must have a size`);
  }
  return { mediaType, digest, size };
}

/** Wider than RFC 6838, 4.2, which few clients check; but it travels in headers, and lists repeat it. */
const MEDIA_TYPE = /^[!-~][ -~]{0,254}$/;

/** What is foreign need not be well-formed: whatever it is, it is not asked for here. */
function isDescriptor(value: unknown): boolean {
  try {
    asDescriptor(value, '');
    return true;
  } catch {
    return false;
  }
}

function hasUrls(layer: unknown): boolean {
  const urls = (layer as JsonObject | null)?.urls;
  return Array.isArray(urls) && urls.length > 0;
}

function optionalText(object: JsonObject, member: string): string | undefined {
  const value = object[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new ManifestError(`'${member}' must be a string`);
  return value;
}
