/** The expression ECR's refusals quote (API model since February 2026, which follows the OCI specification). */
export const REPOSITORY_NAME_PATTERN = '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*';

export const REPOSITORY_NAME_LENGTH_MIN = 2;
export const REPOSITORY_NAME_LENGTH_MAX = 256;

const WHOLE = new RegExp(`^${REPOSITORY_NAME_PATTERN}$`);

/** Whether ECR would take this as the name of a repository. The length is looked at first: the match stays bounded. */
export function isRepositoryName(text: string): boolean {
  return text.length >= REPOSITORY_NAME_LENGTH_MIN && text.length <= REPOSITORY_NAME_LENGTH_MAX && WHOLE.test(text);
}
