/** How callers point at an image: by digest, by tag, or both (then they must agree). As in ECR's ImageIdentifier. */
export interface ImageIdentifier {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Tag syntax of the OCI distribution specification, which ECR enforces on both faces. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** The form ECR's refusals print an image id in; what is absent prints as null. */
export function describeImageId(id: ImageIdentifier): string {
  return `{imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'}`;
}
