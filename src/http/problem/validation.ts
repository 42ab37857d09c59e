// What a zod schema finds wrong with a request, as one problem with a pointer to each place.
import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import { Problem, type ProblemPart } from './problem.js';

/** Places named in one answer. */
const partsMax = 20;

type Issue = z.core.$ZodIssue;
const codeOf: Readonly<Record<string, string>> = { query: 'invalid-query', param: 'invalid-path' };

/** JSON pointer (RFC 6901) of a path. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function partsOf(issue: Issue): ProblemPart[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'there is no such field' }));
  }
  return [{ pointer: pointerOf(issue.path), detail: issue.message }];
}

/** `unknown-field` when that is all that is wrong; else `invalid-body`, `invalid-query` or `invalid-path`. */
export function invalid(issues: readonly Issue[], where: string = 'body'): Problem {
  const errors = issues.flatMap(partsOf).slice(0, partsMax);
  const onlyUnknown = issues.every((issue) => issue.code === 'unrecognized_keys');
  const code = onlyUnknown ? 'unknown-field' : (codeOf[where] ?? 'invalid-body');
  const [first] = errors;
  const detail = first ? `${first.pointer === '' ? 'the whole' : first.pointer}: ${first.detail}` : 'not valid';
  return new Problem(code, detail, { errors });
}

/** Validates whatever has a `schema`: bodies, queries, path parameters. */
export class ZodValidationPipe extends StandardSchemaValidationPipe {
  override async transform<Value>(value: Value, metadata: ArgumentMetadata): Promise<Value> {
    const { schema } = metadata;
    if (!schema || metadata.type === 'custom') return value;
    const result = await schema['~standard'].validate(value);
    if (result.issues) throw invalid(result.issues as readonly Issue[], metadata.type);
    return result.value as Value;
  }
}
