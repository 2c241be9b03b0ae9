import type { Registry } from '../values/registry.ts';
import type { CreationReason, CreationTemplate, CreationTemplateReads } from './creation-template-records.ts';

/**
 * The template for a repository that is made for a reason: of those with the reason, the one with the longest prefix, at last
 * `ROOT` (ECR user guide, "How repository creation templates work").
 */
export async function findTemplate(
  { creationTemplates }: { readonly creationTemplates: CreationTemplateReads },
  registry: Registry,
  repositoryName: string,
  reason: CreationReason,
): Promise<CreationTemplate | undefined> {
  const found = await creationTemplates.findMany(registry, prefixesOf(repositoryName));
  const applied = found.filter(({ appliedFor }) => appliedFor.includes(reason));
  const lengthOf = ({ prefix }: CreationTemplate) => (prefix === 'ROOT' ? 0 : prefix.length);
  return applied.sort((one, other) => lengthOf(other) - lengthOf(one))[0];
}

/** Every prefix a name has up to a slash: a prefix stands for the names that go on behind it. */
function prefixesOf(repositoryName: string): string[] {
  const segments = repositoryName.split('/');
  return ['ROOT', ...segments.slice(1).map((_, at) => segments.slice(0, at + 1).join('/'))];
}
