import { AwsError } from './errors.ts';
import type { OperationName } from './operation.ts';
import { type OperationShapes, operationShapes, type Shape, type StructureShape } from './shapes.ts';

export interface Model {
  shapesOf(operation: OperationName): OperationShapes;
}

let loading: Promise<Model> | undefined;

/** AWS's own model of the service. The SDK costs 40 ms to load, so it waits for the first caller who needs it. */
export function loadModel(): Promise<Model> {
  loading ??= readModel();
  return loading;
}

/**
 * Reads a request's JSON as a shape: members it does not know are left out, null counts as absent, and so it leaves to the
 * constraints to say what is missing.
 *
 * Throws SerializationException where a value has the wrong type.
 */
export function readStructure(shape: StructureShape, json: unknown, path = ''): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrongType(path, json, 'a structure');
  const read: Record<string, unknown> = {};
  for (const { name, shape: memberShape } of shape.members) {
    const value: unknown = Object.hasOwn(json, name) ? (json as Record<string, unknown>)[name] : undefined;
    if (value === undefined || value === null) continue;
    read[name] = readValue(memberShape, value, path === '' ? name : `${path}.${name}`);
  }
  return read;
}

/** Writes an answer's members as JSON: times as epoch seconds, bytes as base64, absent members left out. */
export function writeStructure(shape: StructureShape, value: object): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const { name, shape: memberShape } of shape.members) {
    const member = (value as Record<string, unknown>)[name];
    if (member !== undefined) written[name] = writeValue(memberShape, member);
  }
  return written;
}

async function readModel(): Promise<Model> {
  const sdk = await import('@aws-sdk/client-ecr');
  const known = new Map<OperationName, OperationShapes>();
  return {
    shapesOf(operation) {
      const shapes = known.get(operation) ?? operationShapes(sdk[`${operation}$`]);
      known.set(operation, shapes);
      return shapes;
    },
  };
}

function readValue(shape: Shape, value: unknown, path: string): unknown {
  switch (shape.kind) {
    case 'string':
      if (typeof value === 'string') return value;
      throw wrongType(path, value, 'a string');
    case 'number':
      // Every number that a request of this service carries is an integer.
      if (Number.isSafeInteger(value)) return value;
      throw wrongType(path, value, 'an integer');
    case 'boolean':
      if (typeof value === 'boolean') return value;
      throw wrongType(path, value, 'a boolean');
    case 'timestamp':
      if (typeof value === 'number') return new Date(value * 1000);
      throw wrongType(path, value, 'a number of seconds');
    case 'blob':
      return readBlob(value, path);
    case 'list':
      if (!Array.isArray(value)) throw wrongType(path, value, 'a list');
      return value.map((element, index) => readValue(shape.element, element, `${path}.${index + 1}.member`));
    case 'map':
      if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(path, value, 'a map');
      return Object.fromEntries(
        Object.entries(value as object).map(([key, entry]) => [key, readValue(shape.element, entry, `${path}.${key}`)]),
      );
    case 'structure':
      return readStructure(shape, value, path);
  }
}

function readBlob(value: unknown, path: string): Uint8Array {
  if (typeof value !== 'string') throw wrongType(path, value, 'a base64 string');
  try {
    return Uint8Array.fromBase64(value, { lastChunkHandling: 'strict' });
  } catch {
    throw new AwsError('SerializationException', `The value at '${path}' is not base64`);
  }
}

function wrongType(path: string, value: unknown, wanted: string): AwsError {
  const found =
    value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a structure' : undefined;
  const what = found ?? `${typeof value} ${JSON.stringify(value)?.slice(0, 40)}`;
  const where = path === '' ? 'The request' : `The value at '${path}'`;
  return new AwsError('SerializationException', `${where} must be ${wanted}, not ${what}`);
}

function writeValue(shape: Shape, value: unknown): unknown {
  if (shape.kind === 'structure') return writeStructure(shape, value as object);
  if (shape.kind === 'list') return (value as unknown[]).map((element) => writeValue(shape.element, element));
  if (shape.kind === 'timestamp') return (value as Date).getTime() / 1000;
  if (shape.kind === 'blob') return (value as Uint8Array).toBase64();
  return value;
}
