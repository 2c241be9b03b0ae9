import { loadModel } from '../src/protocols/aws/model.ts';
import type { OperationName } from '../src/protocols/aws/operation.ts';
import { OPERATIONS } from '../src/protocols/aws/operations.ts';
import type { Shape } from '../src/protocols/aws/shapes.ts';

const model = await loadModel();

/** Operations that are served, in the order of their names. */
export function servedOperations(): OperationName[] {
  const names = Object.keys(OPERATIONS) as OperationName[];
  return names.filter((name) => 'run' in OPERATIONS[name]).sort();
}

/** Every member that the SDK knows in an answer: `DescribeImages.imageDetails.imageTags`. Elements of lists have no part of the path. */
export function outputMembers(operation: OperationName): string[] {
  return membersOf(outputShape(operation), operation);
}

/** Members that an answer fills; a list without elements and a map without entries are not filled. */
export function filledMembers(operation: OperationName, answer: object): string[] {
  return [...new Set(filledOf(outputShape(operation), answer, operation))];
}

function outputShape(operation: OperationName): Shape {
  return model.shapesOf(operation).output;
}

function membersOf(shape: Shape, path: string): string[] {
  if (shape.kind === 'list' || shape.kind === 'map') return membersOf(shape.element, path);
  if (shape.kind !== 'structure') return [];
  return shape.members.flatMap((member) => {
    const place = `${path}.${member.name}`;
    return [place, ...membersOf(member.shape, place)];
  });
}

function filledOf(shape: Shape, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (shape.kind === 'list' || shape.kind === 'map') {
    return Object.values(value).flatMap((element) => filledOf(shape.element, element, path));
  }
  if (shape.kind !== 'structure') return [];
  return shape.members.flatMap((member) => {
    const place = `${path}.${member.name}`;
    const filling: unknown = (value as Record<string, unknown>)[member.name];
    return isFilled(member.shape, filling) ? [place, ...filledOf(member.shape, filling, place)] : [];
  });
}

function isFilled(shape: Shape, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return (shape.kind !== 'list' && shape.kind !== 'map') || Object.keys(value).length > 0;
}
