import assert from 'node:assert/strict';
import type { Form, TerraformScene } from './scene.ts';

const DAYS = { first: 14, second: 30 } as const;

/** Policies in every form the provider has for them. */
export const lifecycleScene: TerraformScene = {
  resources,
  async check(ask, form) {
    const lengthsOf = async (repositoryName: string) => {
      const { lifecyclePolicyText } = await ask('GetLifecyclePolicy', { repositoryName });
      const { rules } = JSON.parse(lifecyclePolicyText);
      return rules.map(({ selection }: { selection: { countNumber: number } }) => selection.countNumber);
    };
    // As others see it: Terraform wrote rule 2 before rule 1.
    assert.deepEqual(await lengthsOf('terraform/encoded'), [5, DAYS[form]]);
    assert.deepEqual(await lengthsOf('terraform/document'), [5, DAYS[form], 90]);
  },
  async checkGone(ask) {
    const answer = await ask('GetLifecyclePolicy', { repositoryName: 'terraform/encoded' });
    assert.equal(answer.__type, 'RepositoryNotFoundException');
  },
};

function resources(form: Form): string {
  const days = DAYS[form];
  return `
resource "aws_ecr_repository" "encoded" {
  name = "terraform/encoded"
}
resource "aws_ecr_repository" "document" {
  name = "terraform/document"
}
resource "aws_ecr_lifecycle_policy" "encoded" {
  repository = aws_ecr_repository.encoded.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 2
        description  = "expire what has no tag"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = ${days}
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 1
        selection = {
          tagStatus     = "tagged"
          tagPrefixList = ["v", "r"]
          countType     = "imageCountMoreThan"
          countNumber   = 5
        }
        action = { type = "expire" }
      },
    ]
  })
}
data "aws_ecr_lifecycle_policy_document" "document" {
  rule {
    priority    = 1
    description = "keep five releases"
    selection {
      tag_status       = "tagged"
      tag_pattern_list = ["v*"]
      count_type       = "imageCountMoreThan"
      count_number     = 5
    }
  }
  rule {
    priority = 2
    selection {
      tag_status   = "untagged"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = ${days}
    }
    action {
      type = "expire"
    }
  }
  rule {
    priority = 3
    selection {
      tag_status   = "any"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = 90
    }
    action {
      type = "expire"
    }
  }
}
resource "aws_ecr_lifecycle_policy" "document" {
  repository = aws_ecr_repository.document.name
  policy     = data.aws_ecr_lifecycle_policy_document.document.json
}
`;
}
