/**
 * The shapes of one operation, read from the schemas that AWS's own SDK exports: raw arrays such as
 * `[3, namespace, name, traits, memberNames, memberSchemas, requiredCount]`. Required members come first in them.
 */
export type Shape =
  | { readonly kind: 'string' | 'number' | 'boolean' | 'timestamp' | 'blob' }
  | { readonly kind: 'list' | 'map'; readonly element: Shape }
  | StructureShape;

export interface StructureShape {
  readonly kind: 'structure';
  readonly name: string;
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
}

export interface OperationShapes {
  readonly input: StructureShape;
  readonly output: StructureShape;
}

/** @param schema an operation's schema as the SDK exports it, `[9, namespace, name, traits, input, output]` */
export function operationShapes(schema: unknown): OperationShapes {
  const array = asArray(schema);
  if (array[0] !== OPERATION) throw new Error('The SDK exports something else than an operation under that name');
  return { input: structureOf(array[4]), output: structureOf(array[5]) };
}

const OPERATION = 9;
const STRUCTURE = 3;
const LIST = 1;
/** Lists and maps of simple shapes are the simple shape's number with one of these bits. */
const LIST_BIT = 64;
const MAP_BIT = 128;
const SIMPLE: Readonly<Record<number, 'string' | 'number' | 'boolean' | 'timestamp' | 'blob'>> = {
  0: 'string',
  1: 'number',
  2: 'boolean',
  4: 'timestamp',
  21: 'blob',
};

function structureOf(reference: unknown): StructureShape {
  const shape = shapeOf(reference);
  if (shape.kind !== 'structure')
    throw new Error(`The SDK gives an operation a ${shape.kind} where a structure belongs`);
  return shape;
}

function shapeOf(reference: unknown): Shape {
  const schema = typeof reference === 'function' ? reference() : reference;
  if (typeof schema === 'number') return simpleShape(schema);
  const [kind, , name, , names, shapes, requiredCount = 0] = asArray(schema);
  if (kind === LIST) return { kind: 'list', element: shapeOf(names) };
  if (kind !== STRUCTURE) throw new Error(`The SDK has a schema of kind ${kind}, which this server cannot read`);
  const members = asArray(names).map((member, index) => ({
    name: String(member),
    shape: shapeOf(asArray(shapes)[index]),
    required: index < Number(requiredCount),
  }));
  return { kind: 'structure', name: String(name), members };
}

function simpleShape(schema: number): Shape {
  const kind = SIMPLE[schema & ~(LIST_BIT | MAP_BIT)];
  if (kind === undefined) throw new Error(`The SDK has a simple schema ${schema}, which this server cannot read`);
  if (schema & LIST_BIT) return { kind: 'list', element: { kind } };
  return schema & MAP_BIT ? { kind: 'map', element: { kind } } : { kind };
}

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('The SDK has a schema that is not an array');
  return value;
}
