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

/** Of several shapes that a value may have, what keeps it from the one it comes closest to. */
function unfold(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  // A field that says which shape it is weighs more than one that is missing.
  const distance = (branch: readonly Issue[]) =>
    branch.reduce((sum, { code, path }) => sum + (code === 'invalid_value' && path.length === 1 ? 10 : 1), 0);
  const [nearest = []] = issue.errors.toSorted((a, b) => distance(a) - distance(b));
  return nearest.flatMap((part) => unfold({ ...part, path: [...issue.path, ...part.path] }));
}

function partsOf(issue: Issue): ProblemPart[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'there is no such field' }));
  }
  return [{ pointer: pointerOf(issue.path), detail: issue.message }];
}

/** `unknown-field` when that is all that is wrong; else `invalid-body`, `invalid-query` or `invalid-path`. */
export function invalid(found: readonly Issue[], where: string = 'body'): Problem {
  const issues = found.flatMap(unfold);
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
